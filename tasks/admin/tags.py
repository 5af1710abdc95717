"""Template tags of the operators' pages: the links and times that the lists show, and their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminReadonlyField
from django.db.models import JSONField
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from tasks.admin import formats

register = template.Library()

register.simple_tag(formats.task_link, name="task_link")
register.simple_tag(formats.user_link, name="user_link")
register.simple_tag(formats.moment, name="moment")


@register.simple_tag
def labelled_cells(cells: Sequence[SafeString], headers: Sequence[Mapping[str, Any]]) -> SafeString:
    """Return the cells of a row as Django has drawn them, with the titles of their columns; the first names the row."""
    drawn = []
    is_named = False
    for cell, header in zip(cells, headers, strict=True):
        title = capfirst(strip_tags(str(header["text"])).strip())
        is_box = "action-checkbox" in cell[:40]
        label = "" if is_box or not is_named or "field-act" in cell[:40] else format_html(' data-label="{}"', title)
        drawn.append(f"{cell[:3]}{label}{cell[3:]}")
        is_named = is_named or not is_box
    # What Django drew is safe, and so is the label.
    return mark_safe("".join(drawn))  # noqa: S308


@register.simple_tag
def shown_value(field: AdminReadonlyField) -> Any:
    """Return the value of a field that is only shown: times, sizes and yes or no as everywhere, nothing as a dash."""
    name, screen, row = field.field["name"], field.model_admin, field.form.instance
    column = screen and next((one for one in screen.opts.concrete_fields if one.name == name), None)
    # What a screen draws itself, and what refers to another row, has its look.
    if not column or column.is_relation or column.choices or isinstance(column, JSONField):
        return field.contents()
    return formats.value_text(name, getattr(row, column.attname))
