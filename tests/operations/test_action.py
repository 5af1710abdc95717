"""The words of actions: plurals, places, and signs that stand for themselves."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext_lazy, ngettext_lazy

from tasks.operations.action import Words, say


@pytest.mark.parametrize("words", ["Give {it} 10% more", gettext_lazy("Give {it} 10% more")])
def test_per_cent_sign_stands_for_itself(words: Words) -> None:
    assert say(words, it="3 tasks") == "Give 3 tasks 10% more"


def test_per_cent_sign_stands_for_itself_in_plurals_too() -> None:
    words = ngettext_lazy("{it} has 10% more.", "{it} have 10% more.", "count")
    assert say(words, 1, it="1 task") == "1 task has 10% more."
    assert say(words, 2, it="2 tasks") == "2 tasks have 10% more."


def test_count_is_written_as_it_is_given() -> None:
    words = ngettext_lazy("{count} task", "{count} tasks", "count")
    assert [say(words, number, count=f"{number:,}") for number in (1, 1200)] == ["1 task", "1,200 tasks"]
    assert say(words, 2, count="the selected") == "the selected tasks"
    assert say(words, 2) == "2 tasks"
