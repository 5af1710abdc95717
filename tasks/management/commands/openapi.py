"""`manage.py openapi`: writes the OpenAPI document to docs/openapi.yaml, or says whether that is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

STORED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"


class Command(BaseCommand):
    help = "Write the OpenAPI document, diagnostic task types included, to docs/openapi.yaml or another path."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, default=STORED)
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is not up to date")

    def handle(self, *_args: Any, path: Path, check: bool, **_options: Any) -> None:
        text = document()
        if not check:
            path.write_text(text)
            self.stdout.write(f"{path} is up to date.")
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f"{path} is not up to date: run `manage.py openapi`.")


def document() -> str:
    """Return the document as YAML. It tells what this version can do, whatever is switched on here."""
    was, settings.PORTAL_DIAGNOSTICS = settings.PORTAL_DIAGNOSTICS, True
    try:
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    finally:
        settings.PORTAL_DIAGNOSTICS = was
    rendered: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})  # type: ignore[no-untyped-call]
    return rendered.decode()
