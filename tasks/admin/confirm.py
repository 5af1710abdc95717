"""The page that asks before something is done, with room for a reason."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


@dataclass(frozen=True)
class Question:
    """What is asked. `reason_label` adds a field, ``reason`` in the POST; `hidden` are fields to post as they are."""

    title: str
    text: str
    button: str
    back: str
    dangerous: bool = False
    reason_label: str = ""
    hidden: tuple[tuple[str, str], ...] = ()


def confirm_page(request: HttpRequest, question: Question) -> TemplateResponse:
    """Return the page; it posts to its own address."""
    context = admin.site.each_context(request) | {"title": question.title, "question": question}
    return TemplateResponse(request, "admin/confirm.html", context)
