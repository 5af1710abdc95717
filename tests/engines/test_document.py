"""The document model: what a reader sends is what a task gets, and its views."""

from __future__ import annotations

import json

from tasks.engines.document import Block, Document, Grid, Notice, Page, Span, document_of, joined, text_page, to_plain
from tasks.engines.document_views import markdown_of

CREW = Grid([["Boat", "Crew"], ["Sea Sparrow", "4"]], head=1, spans=(Span(0, 0, columns=2),))
DOCUMENT = Document(
    [
        Page(
            1,
            [
                Block("heading", "The tide", level=2, box=(1.0, 2.0, 3.0, 4.5)),
                Block("paragraph", "High at six.\nLow at noon.", confidence=0.9, language="en"),
                Block("list", "- ropes"),
                Block("list", "• paint", level=2, gap="\n"),
                Block("table", "Boat Crew\nSea Sparrow 4", grid=CREW),
            ],
            notices=[Notice("unsure", "Page 1 was hard to read.", page=1)],
        )
    ],
    page_count=3,
    notices=[Notice("limit", "Only the first of 3 pages was read.", 2)],
)


def test_a_document_arrives_as_it_was_sent() -> None:
    assert document_of(json.loads(json.dumps(to_plain(DOCUMENT)))) == DOCUMENT


def test_markdown_has_headings_lists_and_tables() -> None:
    assert markdown_of(DOCUMENT) == (
        "## The tide\n\nHigh at six.\nLow at noon.\n\n- ropes\n  - paint\n\n"
        "| Boat | Crew |\n| --- | --- |\n| Sea Sparrow | 4 |"
    )


def test_text_has_everything_and_prose_no_tables() -> None:
    [page] = DOCUMENT.pages

    assert page.text.endswith("- ropes\n• paint\n\nBoat Crew\nSea Sparrow 4")
    assert "Sparrow" not in page.prose
    assert [grid.rows for grid in page.tables] == [CREW.rows]
    assert [notice.kind for notice in DOCUMENT.all_notices()] == ["unsure", "limit"]


def test_a_text_with_tables_in_it_says_nothing_twice() -> None:
    page = text_page("Boat Crew\nSea Sparrow 4", [CREW.rows])

    assert (page.text, joined([])) == ("Boat Crew\nSea Sparrow 4", "")
    assert page.tables[0].rows == CREW.rows
