"""The form of a task type, made from the schema of its input. What pydantic refuses is shown at its field."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext

from accounts.models import User
from portal.web.forms.file_choice import FileChoiceField
from portal.web.forms.schema import Property, properties_of
from tasks.errors import Fault
from tasks.registry import TaskType
from tasks.ui.sentences import in_language

# Strings that may be longer than this, or as long as they like, get a text area.
LONG_TEXT = 300
# Texts that people write as one line although nothing limits them.
ONE_LINE = {"url", "language", "model", "size", "name", "pages"}


class ListField(forms.CharField):
    """A list of strings or numbers, one a line; commas separate numbers too."""

    def __init__(self, *, items: dict[str, Any], **options: Any) -> None:
        self.items = items
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(member) for member in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[Any]:
        text = super().clean(value)
        if self.items.get("type") == "string":
            return [line.strip() for line in text.splitlines() if line.strip()]
        convert = int if self.items.get("type") == "integer" else float
        try:
            return [convert(part) for part in text.replace(",", " ").split()]
        except ValueError as error:
            raise forms.ValidationError("Only numbers, separated by commas or lines.") from error


class StructureField(forms.JSONField):
    """Whatever has no better field: written as JSON, empty when there is none."""

    def prepare_value(self, value: Any) -> Any:
        return None if value in (None, [], {}) else super().prepare_value(value)


class InputForm(forms.Form):
    """The input of one task, or of one for each file. `task_inputs` are what to submit, once the form is valid."""

    def __init__(self, definition: TaskType, user: User, *args: Any, each: bool = False, **options: Any) -> None:
        """`each`: where one file is wanted, several make as many tasks."""
        super().__init__(*args, **options | {"prefix": "input"})
        self.definition = definition
        self.properties = properties_of(definition)
        for member in self.properties:
            self.fields[member.name] = _field_for(member, user, each=each)
        self._offer_files()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for name in self._split_by[1:]:
            self.add_error(name, gettext("Several files can be chosen in one field only."))
        return values

    @property
    def _split_by(self) -> list[str]:
        """The fields of which each file makes a task."""
        kinds = {member.name: member.kind for member in self.properties}
        return [name for name, value in self.cleaned_data.items() if kinds[name] == "file" and isinstance(value, list)]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        """Optional fields that want JSON: kept out of the way."""
        return [self[member.name] for member in self.properties if member.kind == "json" and not member.required]

    @property
    def main_fields(self) -> list[forms.BoundField]:
        rare = {field.name for field in self.rare_fields}
        return [field for field in self.visible_fields() if field.name not in rare]

    @property
    def rare_fields_in_use(self) -> bool:
        return any(field.errors or field.value() for field in self.rare_fields)

    def _offer_files(self) -> None:
        for name, field in self.fields.items():
            if isinstance(field, FileChoiceField):
                field.offer_kept_files(_chosen(self[name].value()))

    @property
    def task_input(self) -> dict[str, Any]:
        """The cleaned values, without those left empty or left at their default."""
        values = {}
        for member in self.properties:
            value = self.cleaned_data.get(member.name)
            left_out = value is None or value in ("", [])
            if not member.required and (left_out or value == member.schema.get("default")):
                continue
            values[member.name] = value
        return values

    @property
    def task_inputs(self) -> list[dict[str, Any]]:
        """The inputs of the tasks: one for each file where several were chosen for one."""
        common = self.task_input
        if not self._split_by:
            return [common]
        [name] = self._split_by
        return [common | {name: file_id} for file_id in common[name]]

    def add_batch_faults(self, faults: list[Fault]) -> list[Fault]:
        """Show the faults of a batch, whose pointers begin with ``/tasks/N``; what all have in common is told once.

        Returns those that belong elsewhere.
        """
        inputs = self.task_inputs
        common: dict[tuple[str, ...], Fault] = {}
        for fault in faults:
            _tasks, number, *path = fault.pointer.strip("/").split("/")
            if path[:1] == ["input"] and path[1:2] == self._split_by:
                field = self.fields[path[1]]
                assert isinstance(field, FileChoiceField)
                field.refuse(inputs[int(number)][path[1]], fault.detail)
            else:
                moved = Fault("/" + "/".join(path), fault.code, fault.detail)
                common[tuple(moved.values())] = moved
        for name in self._split_by:
            if count := len(self.fields[name].widget.refused):
                words = ngettext(
                    "%(count)d file cannot be taken, for the reason beside it. Submit again to go on without it.",
                    "%(count)d files cannot be taken, for the reasons beside them. Submit again to go on without them.",
                    count,
                )
                self.add_error(name, words % {"count": count})
        return self.add_faults(list(common.values()))

    def add_faults(self, faults: list[Fault]) -> list[Fault]:
        """Show each fault below ``/input`` at its field; return those that belong elsewhere."""
        others = []
        for fault in faults:
            root, *path = fault.pointer.strip("/").split("/")
            if root != "input":
                others.append(fault)
            elif path and path[0] in self.fields:
                place = f"{'/'.join(path[1:])}: " if len(path) > 1 else ""
                self.add_error(path[0], place + fault.detail)
            else:
                self.add_error(None, fault.detail)
        return others


# Fields that take what a person writes; an address, say, is a text too.
ASKED_IN_WORDS = ("prompt", "question", "message")


def quick_field(definition: TaskType) -> str | None:
    """Return the one text that is enough to start a task of this type, or None when it needs more.

    >>> from tasks.registry import get_type
    >>> quick_field(get_type("diagnostic.echo"))
    'message'
    """
    members = properties_of(definition)
    required = [member for member in members if member.required]
    wanted = required or [member for member in members if member.name == "prompt"]
    if len(wanted) == 1 and wanted[0].kind == "text" and wanted[0].name in ASKED_IN_WORDS:
        return wanted[0].name
    return None


def _field_for(member: Property, user: User, *, each: bool) -> forms.Field:
    schema = member.schema
    common: dict[str, Any] = {
        "label": member.title,
        "help_text": member.description,
        "required": member.required,
        # What people who look at the result want may be more than what programs get unasked.
        "initial": schema.get("x-form", schema.get("default")),
    }
    match member.kind:
        case "file" | "files":
            many = member.kind == "files"
            one_each = each and not many
            most = schema.get("maxItems")
            return FileChoiceField(owner=user, many=many, each=one_each, most=most, accept=member.accept, **common)
        case "boolean":
            return forms.BooleanField(**common | {"required": False})
        case "integer":
            return forms.IntegerField(**common, **_bounds(schema))
        case "number":
            return forms.FloatField(**common, **_bounds(schema), widget=forms.NumberInput(attrs={"step": "any"}))
        case "choice":
            return _choice(member, common)
        case "choices":
            options = [(value, str(value)) for value in schema["items"]["enum"]]
            return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
        case "list":
            return ListField(items=schema["items"], **common)
        case "text":
            return _text(member, common)
        case _:
            return StructureField(widget=forms.Textarea(attrs={"class": "code", "rows": 4}), **common)


def _text(member: Property, common: dict[str, Any]) -> forms.Field:
    limit = member.schema.get("maxLength")
    if member.schema.get("format") == "uri":
        return forms.CharField(widget=forms.URLInput(attrs={"placeholder": "https://"}), max_length=limit, **common)
    is_long = (limit is None or limit > LONG_TEXT) and member.name not in ONE_LINE
    widget = forms.Textarea(attrs={"rows": 4}) if is_long else forms.TextInput()
    # A text is taken as it was written: leading spaces of a prompt count.
    return forms.CharField(
        widget=widget, strip=False, max_length=limit, min_length=member.schema.get("minLength"), **common
    )


def _choice(member: Property, common: dict[str, Any]) -> forms.Field:
    options = [(value, _words(value)) for value in member.schema["enum"]]
    if not member.required and "default" not in member.schema:
        options.insert(0, ("", gettext("not set")))
    numbers = all(isinstance(value, int) for value in member.schema["enum"])
    return forms.TypedChoiceField(choices=options, coerce=int if numbers else str, empty_value=None, **common)


def _words(value: Any) -> str:
    return in_language(value.replace("_", " ")) if isinstance(value, str) else json.dumps(value)


def _bounds(schema: Any) -> dict[str, Any]:
    return {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}


def _chosen(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return [str(member) for member in value[0]]
    return [str(member) for member in value] if isinstance(value, list) else [str(value)] if value else []
