"""Texts that are declared and not written as sentences: of models, task types and their fields, of validation."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from pydantic import BaseModel
from pydantic_core._pydantic_core import list_all_errors

from portal.launch.languages.found import Texts
from tasks.engines import any_file, office_extras
from tasks.registry import every_type

# Codes that pages show as words (the filter `words`): what audit entries say was done, why a priority was lowered,
# how a type is ready.
CODES = """
    acknowledge, add, ask for stack, assign, boost, cancel, change, delete, disable, drain, enable, end, export,
    finish, hold, make default, move, mute, note, pause, purge, redeliver, release, reopen, resume, retry,
    revoke, run, set priority, start, stop, test, high allowance used, urgent allowance used, background, low,
    normal, high, urgent, backend, embedded, progress, log, output, text, documents, images, audio, diagnostics,
    system, Documents, Audio, share, unshare
"""
# Of Django's own, what its catalogues lack in a language that we speak.
OF_DJANGO = ("After you’ve created a user, you’ll be able to edit more user options.",)
# What engines put into the places of their sentences: what one of them is about, and where.
IN_SENTENCES = (
    "A PDF of {count} pages (by OCR: {scans})", "A recording of {length}",
    "The text", "The message", "A part", "The names in the archive", "one place", "{count} places",
    "between {one} and {other}", "at {count} places, the first {between},", "“{written}”: {fault}.",
    *any_file.NOT_READ.values(), *(said for _, *both in office_extras.NOT_READ for said in both),
)  # fmt: skip
OURS = ("accounts", "tasks")
# What pydantic says of JSON that does not fit; its other errors are of Python's own types.
OF_JSON = {
    "json_invalid", "missing", "extra_forbidden", "string_type", "string_too_short", "string_too_long",
    "string_pattern_mismatch", "enum", "literal_error", "dict_type", "list_type", "bool_type", "bool_parsing",
    "int_type", "int_parsing", "int_parsing_size", "int_from_float", "float_type", "float_parsing", "finite_number",
    "greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of", "too_short", "too_long",
    "value_error", "url_parsing", "url_too_long", "url_scheme", "uuid_parsing", "uuid_type", "datetime_parsing",
    "datetime_type", "datetime_from_date_parsing", "timezone_aware", "union_tag_invalid", "union_tag_not_found",
    "model_type", "model_attributes_type",
}  # fmt: skip


def collect(texts: Texts) -> None:
    for model, screen in admin.site._registry.items():
        for shown in (model, *(inline.model for inline in screen.inlines)):
            if shown._meta.app_label in OURS:
                _of_model(shown, texts)
    for definition in every_type():
        if definition.handler.__module__.startswith("tasks."):
            for text in (definition.title, definition.description):
                texts.add(text, "tasks/handlers")
            _of_input(definition.input, texts)
            _of_result(definition.result, texts)
    for text in OF_DJANGO:
        texts.add(text, "django")
    for text in IN_SENTENCES:
        texts.add(text, "tasks/engines")
    for code in CODES.split(","):
        texts.add(code.strip(), "tasks/ui/words.py")
    for error in list_all_errors():
        if error["type"] in OF_JSON:
            said = error.get("message_template_json", error["message_template_python"])
            for plural in ("", "s"):
                texts.add(said.replace("{expected_plural}", plural), "pydantic")


def _of_model(model: Any, texts: Texts) -> None:
    meta = model._meta
    names = [meta.verbose_name, meta.verbose_name_plural]
    names += [field.verbose_name for field in meta.local_fields + meta.local_many_to_many]
    for name in names:
        texts.add(str(name), f"{meta.app_label}/models")


def _of_input(model: type[BaseModel], texts: Texts) -> None:
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part.get("properties", {}).items():
            plain = name.replace("_", " ")
            for text in (field.get("title") or plain.capitalize(), plain):
                texts.add(text, "tasks/handlers")
            if description := field.get("description"):
                texts.add(description, "tasks/handlers")
            for choice in _choices_of(field):
                texts.add(choice.replace("_", " "), "tasks/handlers")


def _choices_of(field: dict[str, Any]) -> list[str]:
    """Return the words that may be chosen, in the field itself, its items or one of its kinds."""
    parts = [field, field.get("items", {}), *field.get("anyOf", ())]
    return [choice for part in parts for choice in part.get("enum", ()) if str(choice).islower()]


def _of_result(model: type[BaseModel], texts: Texts) -> None:
    """Add the names of fields as results show them: `word_count` is “word count”."""
    schema = model.model_json_schema(mode="serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        for name in part.get("properties", {}):
            texts.add(name.replace("_", " "), "tasks/handlers")
