"""Errors of the database quote whole rows, and with them what people gave to tasks: nobody else is told those."""

from __future__ import annotations

import re

# What may follow the first line of an error of Postgres: DETAIL has the row, CONTEXT parameters and JSON.
ADDED = re.compile(r"\n(?:DETAIL|CONTEXT|QUERY):")


def without_row(text: str) -> str:
    """Return the text of an error up to where Postgres says more."""
    return ADDED.split(text, maxsplit=1)[0]
