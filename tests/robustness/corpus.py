"""The whole corpus: every family's cases, and damage done to the small ones among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from random import Random

from tests.robustness import mails, office, pdf_files, pictures, sheet_files, sounds, texts
from tests.robustness.cases import Case, Maker

FAMILIES: tuple[Maker, ...] = (
    texts.cases,
    mails.cases,
    office.cases,
    sheet_files.cases,
    pdf_files.cases,
    pictures.cases,
    sounds.cases,
)
# One of each format, to be cut, bent and renamed.
TO_DAMAGE = {
    "plain.docx", "plain.xlsx", "plain.pptx", "plain.odt", "plain.ods", "plain.pdf", "table.pdf", "scan.pdf",
    "page.png", "page.jpg", "page.webp", "page.tif", "page.gif", "page.bmp", "page.jp2", "page.avif", "plain.eml",
    "both.eml", "plain.zip", "plain.tar", "plain.tar.xz", "plain.tar.bz2", "plain.wav", "plain.ogg", "plain.html",
    "german.csv", "prose-gbk.txt", "escaped.json", "locked.pdf",
}  # fmt: skip
# Their damage leaves no trace: what is there is what is written.
WITHOUT_CHECKS = {"text", "table", "data", "page", "e-mail", "sound"}
PARTS = (0.3, 0.7, 0.97)
FLIPS = 3


def make_corpus(seed: int) -> list[Case]:
    """Return all cases, the same for the same seed. Names are unique."""
    cases = [case for family in FAMILIES for case in family(Random(seed))]
    cases += [
        worse for case in cases if case.name in TO_DAMAGE and case.kind != "speech" for worse in _damaged(case, seed)
    ]
    return [replace(case, name=f"{number:03}-{case.name}") for number, case in enumerate(cases)]


def slice_of(corpus: list[Case], seed: int, *, seconds: float) -> list[Case]:
    """Return one case of every kind and as many others as `seconds` of processor time allow, chosen by the seed."""
    order = sorted(corpus, key=lambda case: case.cost)
    kinds = {case.kind: case for case in reversed(order)}
    chosen, left = list(kinds.values()), seconds - sum(case.cost for case in kinds.values())
    others = [case for case in corpus if case not in chosen]
    Random(seed).shuffle(others)
    for case in others:
        if case.cost <= left / 4:
            chosen.append(case)
            left -= case.cost
    return chosen


def _damaged(case: Case, seed: int) -> Iterator[Case]:
    chance = Random(f"{seed} {case.name}")
    stem, _, end = case.name.partition(".")
    quiet = case.kind in WITHOUT_CHECKS
    for part in PARTS:
        worse = partial(_cut, case, part)
        yield replace(case, name=f"{stem}-cut-{part}.{end}", make=worse, may_be_quiet=quiet, told="")
    for _ in range(FLIPS):
        bent = partial(_flipped, case, chance.randrange(2**32))
        # A picture with a few wrong pixels is a picture, and what a PDF does not pack has no sums.
        calm = quiet or case.kind in {"picture", "pdf"}
        yield replace(case, name=f"{stem}-bent-{chance.randrange(10**6)}.{end}", make=bent, may_be_quiet=calm, told="")


def _cut(case: Case, part: float) -> bytes:
    return case.data[: int(len(case.data) * part)]


def _flipped(case: Case, seed: int) -> bytes:
    data, chance = bytearray(case.data), Random(seed)
    for _ in range(max(1, len(data) // 3000)):
        # Not in the first bytes, by which a file is told.
        place = chance.randrange(min(20, len(data) - 1), len(data))
        data[place] ^= 1 << chance.randrange(8)
    return bytes(data)


def kinds_of(corpus: list[Case]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for case in corpus:
        counted[case.kind] = counted.get(case.kind, 0) + 1
    return counted
