"""What a list says of a result: its first words, and how many pages and tables it has. Read by the database."""

from __future__ import annotations

from django.db.models import F, Func, JSONField

# As stored, which is compressed: what is larger is not even unpacked for a line of a list.
MOST_BYTES = 256 * 1024
WORDS = 160


class ResultBrief(Func):
    """``{"text", "pages", "tables"}`` of a result, each null where there is none; null where it is large or missing."""

    template = (
        f"CASE WHEN pg_column_size(%(expressions)s) <= {MOST_BYTES} "
        "AND jsonb_typeof(%(expressions)s) = 'object' THEN jsonb_build_object("
        f"'text', left(coalesce(%(expressions)s ->> 'answer', %(expressions)s ->> 'text', "
        f"%(expressions)s ->> 'caption'), {WORDS}), "
        "'pages', CASE WHEN jsonb_typeof(%(expressions)s -> 'pages') = 'array' "
        "THEN jsonb_array_length(%(expressions)s -> 'pages') END, "
        "'tables', CASE WHEN jsonb_typeof(%(expressions)s -> 'tables') = 'array' "
        "THEN jsonb_array_length(%(expressions)s -> 'tables') END) END"
    )

    def __init__(self, field: str) -> None:
        super().__init__(F(field), output_field=JSONField())
