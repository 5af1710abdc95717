"""The catalogues of languages: what is found in sources, and what `make check` says is wrong with a translation."""

from __future__ import annotations

import ast
from pathlib import Path

import polib
import pytest

from portal.launch.languages import catalogue, in_python, in_templates
from portal.launch.languages.found import PROJECT, Texts

FOUND = {
    '_("Save")': {"Save": ""},
    'ngettext("{count} task", "{count} tasks", n)': {"{count} task": "{count} tasks"},
    'raise errors.GiveUp(f"The file has {page_count} pages.")': {"The file has {page_count} pages.": ""},
    'ctx.progress(0.5, f"reading page {place + 1} of {len(numbers)}")': {"reading page {place} of {numbers}": ""},
    'raise WrongStatus(f"{n} {\'task was\' if n == 1 else \'tasks were\'} lost.")': {
        "{n} task was lost.": "", "{n} tasks were lost.": "", "task was": "", "tasks were": "",
    },
    'logger.error("The database did not answer.")': {},
    '"""The file is a docstring."""': {},
    'x = "a_code"': {},
}  # fmt: skip


@pytest.mark.parametrize("source", FOUND)
def test_texts_are_found_in_python(source: str) -> None:
    texts = Texts()
    in_python.Reader("tasks/handlers/some.py", texts).visit(ast.parse(source))
    assert {text: found.plural for text, found in texts.items()} == FOUND[source]


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ('<h1>{% translate "Tasks" %}</h1><code>some code</code>', []),
        ("<h1>Tasks</h1>\n<p>{{ task }}</p>", [(1, "Tasks")]),
        ('{% if x %}\n<a title="Go there">{% endif %}', [(2, "Go there")]),
        ("{% blocktranslate %}One {{ x }}{% endblocktranslate %} two", [(1, "two")]),
    ],
)
def test_words_outside_of_gettext_are_found_in_templates(source: str, bare: list[tuple[int, str]]) -> None:
    assert in_templates.bare_words_of(source) == bare


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("{count} 个 <b>任务</b>", ""),
        ("", "not translated"),
        ("{number} 个 <b>任务</b>", "other places or tags"),
        ("{count} 个任务", "other places or tags"),
        (" {count} 个 <b>任务</b>", "other space"),
    ],
)
def test_translation_fills_in_and_marks_up_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, fault: str
) -> None:
    monkeypatch.setattr(catalogue, "name_of", lambda path: path.name)
    texts, path = Texts(), tmp_path / "django.po"
    texts.add("{count} <b>tasks</b>", "a.html")
    assert any("lacks 1 texts" in found for found in catalogue.faults_of(path, texts))
    catalogue.write(path, texts)
    written = polib.pofile(str(path))
    written[0].msgstr = said
    written.save(str(path))
    catalogue.write(path, texts)
    found = list(catalogue.faults_of(path, texts))
    assert [bool(fault)] == [fault in one for one in found] if fault else found == []
    path.with_suffix(".mo").write_bytes(b"")
    assert any("is not what django.po says" in one for one in catalogue.faults_of(path, texts))
    assert any("nothing says any more" in one for one in catalogue.faults_of(path, Texts()))


def test_each_language_has_both_catalogues() -> None:
    for folder in catalogue.folders():
        assert {path.name for path in folder.iterdir()} == {
            f"{domain}.{kind}" for domain in catalogue.DOMAINS for kind in ("po", "mo")
        }, folder.relative_to(PROJECT)
