"""What a cross-check found, as tables: what differs first, each value beside the document and the page it stands on."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from portal.web.result_shapes import MOST_ROWS, Section

LONGEST = 300


def findings(result: dict[str, Any]) -> dict[str, Section]:
    """Return the sections of the fields that hold findings, by their names; what is none is left out."""
    titles = {
        "differences": gettext("Differences"),
        "matches": gettext("Agreements"),
        "only_in_one": gettext("Only in one document"),
    }
    found = {name: result.get(name) for name in titles}
    return {
        name: Section("records", titles[name], {"columns": _columns(name), "rows": _rows(name, rows)}, len(rows))
        for name, rows in found.items()
        if isinstance(rows, list) and rows and all(_is_finding(row) for row in rows)
    }


def _columns(name: str) -> list[str]:
    if name == "differences":
        return [gettext("field"), gettext("where it stands"), gettext("missing in")]
    return [gettext("field"), gettext("value"), gettext("where it stands")]


def _rows(name: str, rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Return the cells of each row, as `_columns` names them."""
    shown: list[list[Any]] = []
    for row in rows[:MOST_ROWS]:
        places = "\n".join(_place(one, with_value=name == "differences") for one in row["evidence"])
        if name == "differences":
            shown.append([row["field"], places, ", ".join(map(str, row.get("missing") or []))])
        else:
            shown.append([row["field"], str(row.get("value", "")), places])
    return shown


def _place(evidence: dict[str, Any], *, with_value: bool) -> str:
    document, page = str(evidence.get("document", "")), evidence.get("page")
    place = gettext("%(document)s, page %(page)s") % {"document": document, "page": page} if page else document
    return f"{place}: {str(evidence.get('value', ''))[:LONGEST]}" if with_value else place


def _is_finding(row: Any) -> bool:
    if not (isinstance(row, dict) and isinstance(row.get("field"), str) and isinstance(row.get("evidence"), list)):
        return False
    return all(isinstance(one, dict) for one in row["evidence"])
