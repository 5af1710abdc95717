"""What an operator may do, as data: the words that ask and report, who may, what it takes, and the verb that does it.

The screens of the admin, the operations on many tasks and the functions beneath them share this one type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.utils.translation import gettext_lazy

from accounts.models import User

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Words: TypeAlias = "str | StrPromise"
Field = Literal["queue", "priority", "reason"]
REASON = gettext_lazy("Reason, for the audit log")
Tone = Literal["", "primary", "danger"]


@dataclass(frozen=True)
class Choice:
    """An action by its name, with what a person chose for it."""

    kind: str
    to_queue: str = ""
    to_priority: int | None = None
    reason: str = ""

    @property
    def goal(self) -> dict[str, Any]:
        """Return what tells two choices of an action apart, for the audit log."""
        given = {"queue": self.to_queue, "priority": self.to_priority, "reason": self.reason}
        return {name: value for name, value in given.items() if value not in {"", None}}


@dataclass(frozen=True, kw_only=True, eq=False)
class Action:
    """Something that is done to a row, or to many, after a person was asked.

    Words are lazy translations, in the plural by `ngettext_lazy` with the key "count". They have places in braces:
    `{it}` is what it is done to ("diagnostics", "3 tasks"); `text` may have the `{row}`, or the `{names}` of several;
    `done` may have `{queue}`, `{priority}`, and `{result}`, what `act` returned. Any other sign stands for itself.

    Args:
        name: a slug; in addresses, in the audit log, and as the kind of an operation.
        label: on a button.
        title: an order without its full stop; with a question mark it heads the page that asks.
        text: on that page; without one, nobody is asked.
        done: the sentence that reports it; without one, the page that follows shows it.
        act: what does it to one row: it gets the row, who wants it, and what was chosen.
        things: "{count} users", where it can be done to several at once.
        reports_each: whether each of several is reported for itself.
        form: what is to be chosen with it.
        audits: the details of the entry in the audit log; None where the verb writes its own.
    """

    name: str
    label: Words
    permission: str
    title: Words = ""
    done: Words = ""
    text: Words = ""
    act: Callable[[Any, User, Choice], object] | None = None
    things: Words = ""
    reports_each: bool = False
    form: frozenset[Field] = frozenset()
    reason_label: Words = REASON
    tone: Tone = ""
    icon: str = ""
    audits: Callable[[Any], Mapping[str, Any]] | None = None

    def things_text(self, count: int) -> str:
        """Return so many of them, in words."""
        return say(self.things, count, count=f"{count:,}")

    def done_text(self, it: object, choice: Choice, *, count: int = 1, result: object = None) -> str:
        """Return the sentence that reports it."""
        return say(self.done, count, it=it, queue=choice.to_queue, priority=choice.to_priority, result=result)


def say(words: Words, number: int = 1, **places: object) -> str:
    """Return words in the reader's language, in the plural that the number has there, with their places filled."""
    # By `format` alone: words may well have a per cent sign.
    return words.format(**places | {"count": _Count(number, places.get("count", number))})


class _Count(int):
    """A number that chooses the plural, and is written in its own way."""

    def __new__(cls, number: int, shown: object) -> _Count:
        count = super().__new__(cls, number)
        count.shown = str(shown)
        return count

    shown: str

    def __format__(self, spec: str) -> str:
        return self.shown
