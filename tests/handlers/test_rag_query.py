"""rag.query and answer.complete end to end, on real files with the real engines."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tasks.errors import CancelRequested, GiveUp, InvalidInput, UnreadableFile
from tasks.registry import get_type
from tasks.testing import FolderContext, run
from tests.engines import office_files

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


PAGE = (
    b"<html><head><title>House</title><script>var key = 1</script></head><body><p>The spare key hangs in the shed.</p>"
)
MAIL = b"From: a@example.com\r\nSubject: Key\r\n\r\nThe spare key hangs in the shed.\r\n"
ROWS = office_files.sheet({"A1": "Thing", "B1": "Place", "A2": "Spare key", "B2": "It hangs in the shed"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("house.docx", office_files.word(office_files.paragraph("The spare key hangs in the shed."))),
        ("house.xlsx", office_files.excel({"Keys": ROWS})),
        ("house.html", PAGE),
        ("house.eml", MAIL),
        ("house.odt", office_files.open_text("The spare key hangs in the shed.")),
        ("house.md", b"# House\n\n- The spare key hangs in the shed."),
        ("house.csv", b"Thing,Place\nSpare key,It hangs in the shed\n"),
    ],
)
def test_whatever_kind_of_file_has_text_is_searched_without_its_markup(
    ctx: FolderContext, name: str, data: bytes
) -> None:
    result = run("rag.query", ctx, question="Where does the spare key hang?", files=[str(ctx.add(name, data))])

    assert "in the shed" in result["answer"]
    assert "<" not in result["passages"][0]["text"]


def test_of_a_row_the_cells_that_answer_are_given_with_those_that_name_it(ctx: FolderContext) -> None:
    sites = b"Site,Head,Employees,Revenue\nLyon,Claire Fabre,214,38.2\nTurin,Paolo Renzi,167,29.7\n"
    result = run("rag.query", ctx, question="How many employees does Turin have?", files=[str(ctx.add("s.csv", sites))])

    assert result["answer"] == "Site: Turin; Employees: 167"
    assert result["passages"][0]["text"] == "Site: Turin; Head: Paolo Renzi; Employees: 167; Revenue: 29.7"
    absent = run("rag.query", ctx, question="How many employees does Madrid have?")
    assert absent["declined"]
    assert "madrid" in absent["reason"]


def test_a_citation_names_the_headings_the_page_and_where_on_it(ctx: FolderContext) -> None:
    handbook = ctx.add_sample("handbook.pdf")
    best = run("rag.query", ctx, question="Are dogs allowed inside the domes?", files=[str(handbook)])["passages"][0]

    assert "inside the domes" in best["text"]
    assert best["page"] == 2
    assert best["heading"] == "Getting here"
    left, top, right, bottom = best["box"]
    assert 0 < left < right < 595
    assert 0 < top < bottom < 842


def test_a_question_in_another_script_is_answered_by_meaning_and_told_so(ctx: FolderContext) -> None:
    lease = ctx.add("lease.txt", b"The rent is 1,150 pounds a month.\n\nDogs are not allowed in the flat.")
    answered = run("rag.query", ctx, question="月租是多少？", files=[str(lease)])
    declined = run("rag.query", ctx, question="谁是法国总统？", files=[str(lease)])

    assert answered["answer"] == "The rent is 1,150 pounds a month."
    assert "by its meaning alone" in answered["warnings"][0]
    assert declined["declined"]
    assert "Ask in the language of the text" in declined["warnings"][0]


def test_what_was_guessed_or_left_out_of_a_file_is_told(ctx: FolderContext) -> None:
    chinese = ctx.add("码头.txt", "备用钥匙挂在锅炉后面的墙上。码头六点开放。".encode("gbk"))
    result = run("rag.query", ctx, question="备用钥匙挂在哪里？", files=[str(chinese)])

    assert "GB18030 (probability" in result["warnings"][0]


def test_a_locked_office_file_is_told_as_such(ctx: FolderContext) -> None:
    locked = ctx.add("plan.docx", office_files.ole("EncryptedPackage"))

    with pytest.raises(UnreadableFile, match=r"plan\.docx: .*password"):
        run("rag.query", ctx, question="Where?", files=[str(locked)])


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


CONTRACT = (
    "第二条 费用\n合同总价为人民币 480,000 元。\n\n第四条 违约责任\n"
    "乙方每逾期一日，应向甲方支付合同总价千分之二的违约金，违约金总额不超过合同总价的 5%。\n\n"
    "乙方：Northwind 软件（苏州）有限公司\n"
)


def test_across_scripts_the_nearest_in_meaning_answers_and_a_name_of_the_other_script_is_no_other_script(
    ctx: FolderContext,
) -> None:
    priced, named = [
        run("answer.complete", ctx, question=question, context=CONTRACT)
        for question in ("What is the contract price?", "Northwind 是谁？")
    ]

    assert priced["answer"] == "合同总价为人民币 480,000 元。"
    assert len(priced["warnings"]) == 1
    assert "Northwind" in named["answer"]
    assert named["warnings"] == []
