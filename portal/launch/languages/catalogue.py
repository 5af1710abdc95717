"""The catalogues of a language: brings them up to date with the texts, says what is wrong with them, compiles them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polib

from portal.launch.languages import declared, in_python, in_scripts, in_templates
from portal.launch.languages.found import PROJECT, Texts, name_of

# Which texts go into which catalogue: those of scripts are sent to browsers.
DOMAINS = {"django": (in_templates.collect, in_python.collect, declared.collect), "djangojs": (in_scripts.collect,)}
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*(?::[^}]*)?\}|</?[a-z]+[^>]*>")


def all_texts() -> dict[str, Texts]:
    """Return the texts of each catalogue, as the sources have them now."""
    found = {domain: Texts() for domain in DOMAINS}
    for domain, collectors in DOMAINS.items():
        for collect in collectors:
            collect(found[domain])
    return found


def folders() -> list[Path]:
    return sorted((PROJECT / "portal" / "locale").glob("*/LC_MESSAGES"))


def read(path: Path) -> polib.POFile:
    return polib.pofile(str(path)) if path.exists() else _new(path)


def renewed(old: polib.POFile, texts: Texts) -> polib.POFile:
    """Return a catalogue with the texts that there are, and the translations that the old one has of them."""
    made = polib.POFile(wrapwidth=100)
    made.metadata, made.header = old.metadata, old.header
    known = {entry.msgid: entry for entry in old}
    for text, found in sorted(texts.items()):
        entry = polib.POEntry(msgid=text, occurrences=[(file, "") for file in sorted(found.files)])
        before = known.get(text)
        if found.plural:
            entry.msgid_plural = found.plural
            count = int(re.search(r"nplurals=(\d)", made.metadata["Plural-Forms"])[1])  # type: ignore[index]
            first = (before.msgstr or before.msgstr_plural.get(0, "")) if before else ""
            kept = before.msgstr_plural if before else {}
            entry.msgstr_plural = {number: kept.get(number, first if count == 1 else "") for number in range(count)}
        elif before:
            entry.msgstr = before.msgstr or before.msgstr_plural.get(0, "")
        made.append(entry)
    return made


def faults_of(path: Path, texts: Texts) -> Iterator[str]:
    """Yield what is wrong with a catalogue, a sentence each."""
    catalogue, name = read(path), name_of(path)
    have = {entry.msgid: entry.msgid_plural or "" for entry in catalogue}
    want = {text: found.plural for text, found in texts.items()}
    if lacking := [text for text in want if have.get(text) != want[text]]:
        yield f"{name} lacks {len(lacking)} texts, as {lacking[0]!r}"
    if gone := [text for text in have if text not in want]:
        yield f"{name} has {len(gone)} texts that nothing says any more, as {gone[0]!r}"
    for entry in catalogue:
        said = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.fuzzy or not all(said):
            yield f"{name}: not translated: {entry.msgid!r}"
        else:
            yield from (f"{name}: {fault}: {entry.msgid!r}" for one in said for fault in _differences(entry, one))
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
        yield f"{name_of(compiled)} is not what {name} says"


def _differences(entry: polib.POEntry, said: str) -> Iterator[str]:
    """Yield how a translation does not fit its text: it must fill in and mark up the same, wherever it has it."""
    sources = {tuple(sorted(PLACE.findall(text))) for text in (entry.msgid, entry.msgid_plural or entry.msgid)}
    if tuple(sorted(PLACE.findall(said))) not in sources:
        yield "other places or tags"
    if entry.msgid.endswith("\n") != said.endswith("\n") or (
        said != said.strip() and entry.msgid == entry.msgid.strip()
    ):
        yield "other space around it"


def write(path: Path, texts: Texts) -> int:
    """Bring a catalogue up to date, compile it, and return how many texts want a translation."""
    catalogue = renewed(read(path), texts)
    catalogue.save(str(path))
    # As it is read again: a file's own line breaks and order are what the check compares with.
    polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    return len(catalogue.untranslated_entries())


def _new(path: Path) -> polib.POFile:
    made = polib.POFile()
    made.metadata = {
        "Language": path.parent.parent.name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        # Of this language: docs/languages.md says where they are listed.
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    return made
