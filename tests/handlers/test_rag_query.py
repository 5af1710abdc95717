"""rag.query and answer.complete end to end, on real files with the real engines."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tasks.errors import CancelRequested, GiveUp, InvalidInput, UnreadableFile
from tasks.registry import get_type
from tasks.testing import FolderContext, run

NOTES = b"# House notes\n\nThe spare key hangs behind the boiler.\n\nThe alarm code is changed every quarter by Ines."


def test_an_answer_is_quoted_with_file_and_page(ctx: FolderContext) -> None:
    handbook = ctx.add_sample("handbook.pdf")
    result = run("rag.query", ctx, question="Where is the nearest hospital?", files=[str(handbook)])

    assert result["answer"] == "The nearest hospital is in Valmure, forty minutes away."
    assert result["declined"] is False
    best = result["passages"][0]
    assert (best["file"], best["file_name"], best["page"]) == (str(handbook), "handbook.pdf", 2)
    assert result["answer"] in best["text"]
    assert len(result["engine"]["sha256"]) == 64


def test_all_files_of_the_owner_are_searched_when_none_is_named(ctx: FolderContext) -> None:
    for name in ("handbook.pdf", "report.pdf", "scan.pdf", "photo.jpg"):
        ctx.add_sample(name)
    ctx.add("notes.md", NOTES)
    ctx.add("archive.zip", b"PK\x03\x04", "application/zip")

    expected = {
        "How much does a night tour cost?": ("28 euros", "handbook.pdf"),
        "Who manages the Gdansk site?": ("Maja Nowicka", "report.pdf"),
        "What was the total paid in cash?": ("266.50", "scan.pdf"),
        "When does the ferry depart?": ("08:45", "photo.jpg"),
        "Where does the spare key hang?": ("behind the boiler", "notes.md"),
    }
    for question, (answer, file_name) in expected.items():
        result = run("rag.query", ctx, question=question)
        assert answer in (result["answer"] or "")
        assert result["passages"][0]["file_name"] == file_name
        assert result["file_count"] == 5


def test_a_question_that_the_files_do_not_answer_is_declined_with_the_reason(ctx: FolderContext) -> None:
    result = run("rag.query", ctx, question="Who is the king of Spain?", files=[str(ctx.add_sample("handbook.pdf"))])

    assert (result["answer"], result["declined"]) == (None, True)
    assert "king" in result["reason"]


def test_a_broken_file_fails_when_named_and_is_skipped_when_not(ctx: FolderContext) -> None:
    ctx.add("notes.txt", NOTES)
    broken = ctx.add("broken.pdf", b"%PDF-1.4 broken")

    with pytest.raises(UnreadableFile, match=r"broken\.pdf"):
        run("rag.query", ctx, question="Where is the key?", files=[str(broken)])
    result = run("rag.query", ctx, question="Where does the spare key hang?")
    assert "boiler" in result["answer"]
    assert "broken.pdf" in result["skipped"][0]


def test_a_scanned_table_and_a_picture_without_text_are_no_trouble(ctx: FolderContext) -> None:
    blank = io.BytesIO()
    Image.new("RGB", (80, 80), "white").save(blank, "PNG")

    result = run("rag.query", ctx, question="What is here?", files=[str(ctx.add("blank.png", blank.getvalue()))])
    assert result["declined"]


@pytest.mark.parametrize(
    "data",
    ["Grüße aus Köln. Der Schlüssel liegt beim Nachbarn.".encode(code) for code in ("utf-8-sig", "utf-16", "cp1252")],
)
def test_texts_in_several_encodings_are_read(ctx: FolderContext, data: bytes) -> None:
    file = ctx.add("brief.txt", data)

    result = run("rag.query", ctx, question="Wo liegt der Schlüssel?", files=[str(file)])
    assert result["answer"] == "Der Schlüssel liegt beim Nachbarn."


def test_without_any_file_it_says_what_to_do(ctx: FolderContext) -> None:
    with pytest.raises(GiveUp, match="Upload"):
        run("rag.query", ctx, question="Where?")


@pytest.mark.parametrize("question", ["", "   ", "x" * 2001])
def test_an_empty_or_endless_question_is_refused(question: str) -> None:
    for name, rest in (("rag.query", {}), ("answer.complete", {"context": "text"})):
        with pytest.raises(InvalidInput) as caught:
            get_type(name).validate({"question": question, **rest})
        assert caught.value.errors[0]["pointer"] == "/input/question"


def test_it_stops_between_files_when_cancelled(tmp_path_factory: pytest.TempPathFactory) -> None:
    def cancel() -> None:
        raise CancelRequested

    ctx = FolderContext(tmp_path_factory.mktemp("files"), check=cancel)
    ctx.add("notes.txt", NOTES)
    with pytest.raises(CancelRequested):
        run("rag.query", ctx, question="Where?")


def test_answer_complete_quotes_its_context_or_declines(ctx: FolderContext) -> None:
    context = NOTES.decode()

    assert run("answer.complete", ctx, question="Who changes the alarm code?", context=context)["answer"] == (
        "The alarm code is changed every quarter by Ines."
    )
    declined = run("answer.complete", ctx, question="What is the alarm code of the garage?", context=context)
    assert (declined["answer"], declined["declined"]) == (None, True)
