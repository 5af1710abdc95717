"""A text that a model wrote as the end of its conversation: what the model was told, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from portal.web.result_shapes import Section, Text, cut

MOST_MESSAGES = 200


@dataclass(frozen=True)
class Message:
    """What one side said; `role` is system, user or assistant."""

    role: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """Messages, oldest first, of which the first `left_out` are not shown; then the answer, by `model`."""

    messages: list[Message]
    left_out: int
    text: Text
    model: str


def with_conversation(sections: list[Section], input_: Any, result: Any) -> list[Section]:
    """Return the sections with the text in its conversation, where the input is one: a `prompt`, or `messages`."""
    said = _said(input_)
    if not said or not isinstance(result, dict):
        return sections
    model = str(result.get("model") or "")
    left_out = max(0, len(said) - MOST_MESSAGES)
    return [
        Section("conversation", gettext("Conversation"), Conversation(said[left_out:], left_out, section.data, model))
        if section.kind == "text" and section.data
        else section
        for section in sections
    ]


def _said(input_: Any) -> list[Message]:
    if not isinstance(input_, dict):
        return []
    messages = input_.get("messages")
    if isinstance(messages, list) and all(isinstance(message, dict) for message in messages):
        return [Message(str(message.get("role", "")), cut(str(message.get("content", "")))) for message in messages]
    prompt = input_.get("prompt")
    return [Message("user", cut(prompt))] if isinstance(prompt, str) and prompt else []
