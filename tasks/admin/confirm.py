"""The page that asks before something is done: one for every action, with the fields that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from tasks.models import Queue
from tasks.operations.action import Action, say


@dataclass(frozen=True)
class Question:
    """What is asked, and of what.

    Args:
        it: what it is done to, as people read it.
        row: what the text may speak of, where it is one.
        hidden: fields to post as they are.
        url: where it is posted to; to its own address unless it says otherwise.
        names: some of those it is done to.
        note: what is otherwise than when it was asked before.
    """

    action: Action
    it: str
    back: str
    row: object = None
    hidden: Sequence[tuple[str, str]] = ()
    url: str = ""
    names: str = ""
    note: str = ""

    @property
    def button(self) -> str:
        """Say what happens; it may need more than the label to be understood."""
        return say(self.action.title, it=self.it) if self.action.things else str(self.action.label)

    @property
    def title(self) -> str:
        return f"{say(self.action.title, it=self.it)}?"

    @property
    def text(self) -> str:
        return say(self.action.text, row=self.row, names=self.names)

    @property
    def reason_label(self) -> str:
        return str(self.action.reason_label) if "reason" in self.action.form else ""


def confirm_page(request: HttpRequest, question: Question, **more: Any) -> TemplateResponse:
    """Return the page; `more` is what it shows of the tasks that are about to be changed."""
    form = question.action.form
    context = admin.site.each_context(request) | {
        "title": question.title,
        "question": question,
        "queues": Queue.objects.all() if "queue" in form else (),
        "priorities": range(10, 0, -1) if "priority" in form else (),
        "back": question.back,
    }
    return TemplateResponse(request, "admin/confirm.html", context | more)
