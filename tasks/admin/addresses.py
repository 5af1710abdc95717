"""Addresses of actions on all tasks of a place. One that the place does not offer is no address of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from django.http import HttpResponse
from django.urls import URLPattern, path, register_converter

from tasks.errors import NotFound
from tasks.operations.bulk_action import BulkAction, Place, find_bulk_action


class _ActionOf:
    regex = "[A-Za-z0-9][A-Za-z0-9._-]*?"
    place: Place

    def to_python(self, name: str) -> BulkAction:
        try:
            action = find_bulk_action(name)
        except NotFound as error:
            raise ValueError(name) from error
        if self.place not in action.places:
            raise ValueError(name)
        return action

    def to_url(self, action: BulkAction) -> str:
        return action.name


for _place in get_args(Place):
    register_converter(type("ActionOf", (_ActionOf,), {"place": _place}), f"{_place}_action")


def action_path(route: str, view: Callable[..., HttpResponse], *, place: Place, name: str) -> URLPattern:
    """Return the address of the actions that a place offers; the view gets the `action` that stands at ``{action}``."""
    return path(route.format(action=f"<{place}_action:action>"), view, name=name)
