"""document.crosscheck end to end: PDFs with tables, scans, office files, texts and other tasks' results."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import GiveUp, InvalidInput, UnreadableFile
from tasks.handlers.document_crosscheck import EXAMPLE
from tasks.registry import get_type
from tasks.testing import SAMPLES, FolderContext, run
from tests.engines import paperwork, pdfs
from tests.engines.paperwork import HELD_OUT_LABELS, LABELS, NOTATIONS
from tests.engines.scores import show
from tests.samples.make import draw_page

ORDER = "Order number: PO-7731\nVessel: Sea Sparrow\nTotal: 1,204.50 EUR\nDelivery date: 3 May 2024"
INVOICE = "Order no.: PO-7731\nVessel: Sea Sparrow\nTotal: EUR 1.240,50\nDate of delivery: 03.05.2024"


@pytest.mark.parametrize(
    ("seeds", "labels"), [(range(6), LABELS), (range(1000, 1006), HELD_OUT_LABELS)], ids=["known", "held out"]
)
def test_pdfs_with_tables_differ_only_where_planted(
    ctx: FolderContext, tmp_path: Path, seeds: range, labels: dict[str, list[str]]
) -> None:
    found_count = agreeing = 0
    for seed in seeds:
        chance = random.Random(seed)
        deal = paperwork.make_deal(chance)
        other, planted = paperwork.changed(deal, chance, chance.randrange(6))
        files = [
            paperwork.pdf(tmp_path / f"{seed}-{name}.pdf", one, labels, chance.choice(NOTATIONS), chance)
            for name, one in (("order", deal), ("invoice", other))
        ]
        result = run("document.crosscheck", ctx, files=[str(ctx.add(path.name, path.read_bytes())) for path in files])

        told = [(one["field"], one["values"]) for one in result["differences"]]
        assert len(told) == len(planted), (seed, planted, told)
        assert len(result["matches"]) == len(labels) + 2 * len(deal.items) - len(planted), (seed, result["only_in_one"])
        assert result["only_in_one"] == []
        for one in result["differences"]:
            assert [piece["page"] for piece in one["evidence"]] == [1, 1]
            assert all(piece["value"] in piece["quote"] for piece in one["evidence"])
        found_count, agreeing = found_count + len(told), agreeing + len(result["matches"])
    show(f"PDFs: {found_count} planted differences found, {agreeing} agreeing values left alone, in {len(seeds)} pairs")


def test_a_difference_is_shown_with_its_evidence(ctx: FolderContext) -> None:
    result = run("document.crosscheck", ctx, **EXAMPLE)

    [found] = result["differences"]
    assert (found["field"], found["type"], found["kind"]) == ("total", "amount", "value")
    assert found["values"] == ["1204.5 EUR", "1240.5 EUR"]
    assert [(piece["document"], piece["value"], piece["quote"]) for piece in found["evidence"]] == [
        ("order", "1,204.50 EUR", "Total: 1,204.50 EUR"),
        ("invoice", "EUR 1.240,50", "Total: EUR 1.240,50"),
    ]
    assert [(one["field"], one["value"]) for one in result["matches"]] == [
        ("number order", "PO-7731"),
        ("date delivery", "2024-05-03"),
    ]
    assert result["text"].startswith("2 values agree, 1 differ.\ntotal: order: 1,204.50 EUR; invoice: EUR 1.240,50")
    assert result["engine"]["name"] == "typed values + rapidfuzz"


def test_a_scan_is_compared_with_a_text(ctx: FolderContext, tmp_path: Path) -> None:
    scan = pdfs.scanned_pdf(tmp_path / "scan.pdf", draw_page(ORDER.splitlines(), size=34))
    files = [ctx.add("scan.pdf", scan.read_bytes()), ctx.add("invoice.txt", INVOICE.encode())]

    result = run("document.crosscheck", ctx, files=[str(file) for file in files])
    [found] = result["differences"]
    assert found["field"] == "total"
    assert [piece["scanned"] for piece in found["evidence"]] == [True, False]
    assert [piece["file"] for piece in found["evidence"]] == [str(file) for file in files]
    assert len(result["matches"]) == 3


def test_results_of_other_tasks_are_compared_with_their_pages_and_tables(ctx: FolderContext) -> None:
    report = run("pdf.extract", ctx, file=str(ctx.add_sample("report.pdf")))
    other: dict[str, Any] = {**report, "name": "corrected"}
    other["tables"] = [{**table, "rows": [list(row) for row in table["rows"]]} for table in report["tables"]]
    other["tables"][1]["rows"][2][2] = "74"

    result = run("document.crosscheck", ctx, results=[report, other])
    [found] = result["differences"]
    assert (found["values"], found["evidence"][0]["page"]) == (["73", "74"], 2)
    assert found["evidence"][0]["quote"] == "Porto | Duarte Figueira | 73 | 2016 | 655.0"
    assert len(result["matches"]) > 20


def test_only_the_chosen_fields_are_compared_and_a_missing_one_is_a_difference(ctx: FolderContext) -> None:
    texts = [
        {"name": "order", "text": ORDER + "\nIBAN: DE89 3704 0044 0532 0130 00"},
        {"name": "bill", "text": INVOICE},
    ]
    result = run("document.crosscheck", ctx, texts=texts, fields=["Delivery date", "IBAN"])

    assert [one["field"] for one in result["matches"]] == ["date delivery"]
    [missing] = result["differences"]
    assert (missing["field"], missing["kind"], missing["missing"]) == ("IBAN", "missing", ["bill"])


@pytest.mark.parametrize("data", [{}, {"texts": ["one"]}, {"texts": ["a", ""]}, {"texts": ["x"] * 21}])
def test_fewer_than_two_documents_or_empty_ones_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        get_type("document.crosscheck").validate(data)


def test_a_broken_file_is_named(ctx: FolderContext) -> None:
    files = [ctx.add("good.txt", ORDER.encode()), ctx.add("bad.pdf", b"%PDF-1.7\nbroken", "application/pdf")]

    with pytest.raises(UnreadableFile, match=r"bad\.pdf: .*not a readable PDF"):
        run("document.crosscheck", ctx, files=[str(file) for file in files])


def test_office_files_are_compared_with_texts(ctx: FolderContext) -> None:
    letter = ctx.add("letter.docx", (SAMPLES / "office/letter.docx").read_bytes(), "application/zip")
    offer = ctx.add("offer.csv", b"Lamp,Count,Price\nHX-200,12,141.00 EUR\nHX-300,,210.00 EUR\n")

    result = run("document.crosscheck", ctx, files=[str(letter), str(offer)])
    assert [one["values"] for one in result["differences"]] == [["140 EUR", "141 EUR"]]
    assert len(result["matches"]) == 2


def test_a_result_without_text_is_named(ctx: FolderContext) -> None:
    with pytest.raises(GiveUp, match="result 2 has neither"):
        run("document.crosscheck", ctx, results=[{"text": "Total: 5 EUR"}, {"answer": "none"}])
