"""What the terminal shows of a sample's result."""

from __future__ import annotations

from typing import Any

from portal.launch.run.first_samples import describe

DONE = {
    "type": "pdf.extract",
    "status": "succeeded",
    "started_at": "2030-01-01T00:00:00.500Z",
    "finished_at": "2030-01-01T00:00:02Z",
    "error": None,
}


def shown(**result: Any) -> list[str]:
    return list(describe({**DONE, "result": {"engine": {"name": "reader", "version": "2"}, **result}}))


def test_result_names_engine_and_time() -> None:
    assert shown() == ["pdf.extract          succeeded  1.5 s  reader 2"]


def test_first_table_is_drawn() -> None:
    lines = shown(tables=[{"rows": [["a", "long cell"], [None, "b\nc"]]}, {"rows": [["second"]]}])
    assert lines[1:] == ["    │ a │ long cell │", "    │   │ b c       │"]


def test_long_text_is_cut_with_a_count() -> None:
    lines = shown(text="\n".join(f"line {number}" for number in range(12)))
    assert lines[1] == "    line 0"
    assert lines[-1] == "    … 4 more lines"


def test_answer_comes_with_its_source() -> None:
    passage = {"text": "Tours cost 28 euros.", "file_name": "handbook.pdf", "page": 1}
    lines = shown(answer="28 euros", passages=[passage, passage])
    assert lines[1:] == ["    answer: 28 euros", "    from: “Tours cost 28 euros.” (handbook.pdf, page 1)"]


def test_answer_from_given_text_has_no_file() -> None:
    assert shown(passages=[{"text": "It weighs two tons."}])[1] == "    from: “It weighs two tons.”"


def test_failure_shows_its_message() -> None:
    task = {**DONE, "status": "failed", "result": None, "error": {"message": "The file is broken."}}
    assert list(describe(task))[1] == "    The file is broken."
