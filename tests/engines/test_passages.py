"""Passages have a longest length, whatever is in them, and the embedder takes memory in the measure of the text."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict

import numpy as np
import pytest

from tasks.engines import contained, embeddings, matching, retrieval
from tasks.engines.any_file import read_document
from tasks.engines.asking import SEARCHER, ask
from tasks.engines.contained import Child
from tasks.engines.document import Block, Document, Grid, Page
from tasks.engines.embeddings import embed
from tasks.engines.judging import judge
from tasks.engines.matching import match, parse_question
from tasks.engines.passages import MAX_CHARACTERS, MAX_HEADING_CHARACTERS, Piece, Source, split_source
from tasks.engines.retrieval import Index
from tasks.engines.source_pieces import sources_of
from tasks.engines.units import MAX_SENTENCE
from tasks.errors import InputTooLarge
from tasks.testing import SAMPLES

CELL = "harbour crane pilot ledger signal quay ferry lantern "


@pytest.mark.parametrize(
    "text",
    [CELL * 400, "x" * 20_000, "码头上的起重机在工作" * 2000, "码头，" * 5000, "a, " * 9000, "#" + "z" * 5000],
    ids=["words", "one word", "Chinese", "Chinese with commas", "commas", "heading"],
)
def test_no_passage_and_no_heading_is_longer_than_it_may_be(text: str) -> None:
    pieces = (Piece("text", text), Piece("heading", text), Piece("row", text, cells=(("note", text),)))
    passages = split_source(Source(pieces=pieces))

    assert max(len(sentence) for passage in passages for sentence in passage.sentences) <= MAX_SENTENCE
    assert max(len(passage.text) for passage in passages) <= MAX_CHARACTERS
    assert max(len(passage.context) for passage in passages) <= MAX_SENTENCE + MAX_HEADING_CHARACTERS
    # Nothing is lost by the cut.
    cut = sum(len(passage.text.replace(" ", "")) for passage in passages)
    assert cut == 3 * len(text.replace(" ", ""))


def test_a_vector_does_not_depend_on_the_texts_beside_it() -> None:
    texts = ["The ferry leaves at six.", "", CELL * 100, "码头", "Ropes and paint."]
    together, alone = embed(texts), np.concatenate([embed([text]) for text in texts])

    # What is remembered has half the digits.
    assert np.allclose(together, alone, atol=1e-3)
    assert np.linalg.norm(together[1]) == 0.0


def test_passages_carry_their_headings_their_box_and_the_names_of_their_columns() -> None:
    grid = Grid([["Part", "Price"], ["Seal", "4.20"]], head=1)
    blocks = [
        Block("heading", "Manual", (10, 10, 90, 20), 1),
        Block("heading", "Repairs", (10, 30, 90, 40), 2),
        Block("paragraph", "Close the tap. Then remove the lid.", (10, 50, 90, 60)),
        Block("table", "Part Price", (10, 70, 90, 99), grid=grid),
        Block("heading", "Guarantee", (10, 110, 90, 120), 2),
        Block("paragraph", "Two years.", (12, 130, 95, 140)),
    ]
    (source,) = sources_of(Document([Page(3, blocks)]))
    title, repair, row, guarantee = split_source(source)

    assert title.sentences == ("Manual",)
    assert (repair.heading, repair.box) == ("Manual › Repairs", (10, 30, 90, 60))
    assert (row.text, row.cells) == ("Part: Seal; Price: 4.20", (("Part", "Seal"), ("Price", "4.20")))
    assert (row.heading, row.box, row.source.page) == ("Manual › Repairs", (10, 70, 90, 99), 3)
    assert (guarantee.heading, guarantee.box) == ("Manual › Guarantee", (10, 110, 95, 140))


def test_a_text_is_embedded_once_and_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    model = embeddings._model()
    monkeypatch.setattr(
        model, "encode", lambda texts, encode=model.encode: (asked.append(len(texts)), encode(texts))[1]
    )
    monkeypatch.setattr(embeddings, "_remembered", OrderedDict())
    monkeypatch.setattr(embeddings, "MAX_REMEMBERED", 2)

    first = embed(["One boat.", "Two boats.", "One boat."])
    again = embed(["Two boats.", "Three boats.", "Four boats."])
    assert asked == [2, 2]
    assert np.allclose(first[0], first[2])
    assert np.allclose(first[1], again[0], atol=1e-3)
    assert len(embeddings._remembered) == 2


def test_only_so_many_passages_are_compared_by_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "COMPARED", 5)
    monkeypatch.setattr(retrieval, "COMPARED_WITHOUT_WORDS", 8)
    index = Index(split_source(Source("\n\n".join(f"The boat of owner {number} is red." for number in range(30)))))

    assert len(index.candidates(parse_question("Which colour is the boat?"))) == 5
    assert len(index.candidates(parse_question("什么颜色？"))) == 8


def test_a_long_cell_takes_little_memory_and_all_of_it_in_the_child() -> None:
    child = Child(SEARCHER)
    try:
        rows = [f"note: {CELL * 3400}", "key: The spare key hangs behind the boiler"]
        source = Source(file_name="a.csv", pieces=tuple(Piece("row", row) for row in rows))
        found = child.call(
            "answering_contained:answer",
            question="Where does the spare key hang?",
            sources=[asdict(source)],
        )
    finally:
        child.close()
    assert "behind the boiler" in found["answer"]
    assert child.rss_bytes < 500 * 1024**2


def test_more_text_than_one_question_looks_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.engines.asking.MAX_CHARACTERS", 100)

    with pytest.raises(InputTooLarge, match="fewer files"):
        ask("Where?", [Source("x" * 101)], check=contained.no_check)


def test_a_long_text_above_a_column_is_not_repeated_in_each_of_its_rows() -> None:
    long = "harbour crane " * 400
    rows = [["id", long], *([str(number), f"quay {number}"] for number in range(50))]
    document = Document([Page(None, [Block("table", "", grid=Grid(rows, head=1))])])

    (source,) = sources_of(document)

    assert sum(len(piece.text) for piece in source.pieces) < 3 * len(long)
    assert "harbour crane" in source.pieces[0].text
    assert "quay 49" in source.pieces[-1].text


def test_a_questions_words_are_looked_for_in_a_whole_document_once(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(split_source(Source("\n\n".join(f"The boat of owner {number} is red." for number in range(30)))))
    looked: list[str] = []

    def counting(term: str, terms: frozenset[str]) -> float:
        looked.append(term)
        return match(term, terms)

    monkeypatch.setattr(retrieval, "match", counting)
    monkeypatch.setattr(matching, "match", lambda term, terms: match(term, terms) if terms != index.terms else 1 / 0)
    question = parse_question("Which zebra owns the boat?")

    judge(question, "Which zebra owns the boat?", index.find("Which zebra owns the boat?", question, count=12), index)

    assert sorted(looked) == sorted(question.words.values())


def test_a_file_of_text_is_not_said_to_lack_scans_when_no_more_scans_may_be_read() -> None:
    read = read_document(SAMPLES / "handbook.pdf", "application/pdf", most_pages=9, most_scans=0)

    assert read.warnings() == []
