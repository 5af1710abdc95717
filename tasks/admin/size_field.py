"""A field for a number of bytes, written as people say it: 10 GB."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

UNITS = {
    "B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30, "TB": 10**12, "TiB": 2**40,
}  # fmt: skip
SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,6})?) ?([kKMGT]?i?B)?", re.ASCII)
UNREADABLE = gettext_lazy("Write a size as 500 MB, 10 GB or 2 GiB; without a unit it is bytes.")


class SizeField(forms.Field):
    widget = AdminTextInputWidget

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").replace(",", "").strip()
        if not text:
            return None
        found = SIZE.fullmatch(text)
        unit = {name.upper(): size for name, size in UNITS.items()}.get((found[2] or "B").upper()) if found else None
        if found is None or unit is None:
            raise ValidationError(UNREADABLE)
        return int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit

    def prepare_value(self, value: Any) -> Any:
        return exact_size(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def exact_size(size: int) -> str:
    """Return a size in the largest unit that it is a whole number of: what is read back is the same.

    >>> exact_size(10 * 2**30), exact_size(5 * 10**9), exact_size(1001), exact_size(0)
    ('10 GiB', '5 GB', '1001 B', '0 B')
    """
    whole = [(unit, name) for name, unit in UNITS.items() if size and size % unit == 0]
    unit, name = max(whole, default=(1, "B"))
    return f"{size // unit} {name}"
