"""Answers measured on questions with and without an answer in the text."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tasks.engines.answering import Finding, answer_question
from tasks.engines.passages import Source, split_source
from tasks.engines.retrieval import Index
from tests.engines.questions import HELD_BACK, TUNED, QuestionSet
from tests.engines.scores import show


def ask(question: str, *sources: Source) -> Finding:
    passages = [passage for source in sources for passage in split_source(source)]
    return answer_question(question, Index(passages))


def measure(sets: list[QuestionSet]) -> tuple[float, float]:
    """Return the shares of questions answered right, and of unanswerable ones declined."""
    right: dict[bool, list[bool]] = {True: [], False: []}
    for text, questions in sets:
        for question, expected in questions.items():
            answer = ask(question, Source(text)).answer
            good = answer is None if expected is None else expected in (answer or "")
            right[expected is not None].append(good)
            if not good:
                show(f"wrong: {question!r} gave {answer!r}")
    answered, declined = (sum(marks) / len(marks) for marks in (right[True], right[False]))
    show(f"answered {answered:.2f} of {len(right[True])}, declined {declined:.2f} of {len(right[False])}")
    return answered, declined


def test_questions_are_answered_and_unanswerable_ones_declined() -> None:
    answered, declined = measure(TUNED)

    assert answered >= 0.94
    assert declined >= 0.93


def test_questions_never_tuned_for_are_answered_and_declined_too() -> None:
    answered, declined = measure(HELD_BACK)

    assert answered >= 0.8
    assert declined >= 0.9


def test_an_answer_is_quoted_word_for_word() -> None:
    text = "The gate was painted green in spring. The old bridge was closed in 1998 after the flood."

    answer = ask("When was the old bridge closed?", Source(text)).answer
    assert answer == "The old bridge was closed in 1998 after the flood."


def test_the_passage_with_the_answer_comes_first_with_its_page() -> None:
    file = uuid4()
    first = Source("The harbour was dredged last year.", file=file, file_name="port.pdf", page=1)
    second = Source("The lighthouse keeper is Marta Lindqvist.", file=file, file_name="port.pdf", page=2)

    finding = ask("Who is the lighthouse keeper?", first, second)
    assert finding.hits[0].passage.source.page == 2
    assert [hit.score for hit in finding.hits] == sorted((hit.score for hit in finding.hits), reverse=True)


def test_a_name_or_year_that_the_text_lacks_is_not_answered() -> None:
    source = Source("Revenue in 2022 was 4.1 million euros. Anna Berg manages the Lisbon office.")

    assert ask("What was the revenue in 2022?", source).answer is not None
    assert ask("What was the revenue in 2019?", source).answer is None
    assert ask("Who manages the Madrid office?", source).answer is None


def test_the_reason_for_declining_names_what_is_missing() -> None:
    declined = ask("Who invented the telephone?", Source("Bread is baked on Tuesdays.")).declined

    assert declined is not None
    assert "telephone" in declined


@pytest.mark.parametrize("text", ["", "   \n\n ", "?!"])
def test_a_text_without_words_has_no_answer(text: str) -> None:
    assert ask("Why?", Source(text)).answer is None


def test_a_question_of_empty_words_has_no_answer() -> None:
    assert ask("What is it?", Source("The boat is red.")).answer is None
