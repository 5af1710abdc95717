"""Types that openapi-typescript generates from the document: a program is compiled with them and uses a portal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from tasks.management.commands.openapi import STORED
from tasks.models import Task
from tests.api.clients import node
from tests.web.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the generated types, the program that uses them, and the packages."""
    (tmp_path / "node_modules").symlink_to(node.installed() / "node_modules")
    for name in ("package.json", "tsconfig.json", "use.ts"):
        shutil.copy(node.FOLDER / name, tmp_path)
    node.run("openapi-typescript", STORED, "-o", "portal.d.ts", in_folder=tmp_path)
    return tmp_path


def test_program_that_is_compiled_with_the_types_uses_a_portal(
    folder: Path, server: LiveServer, alice: User, token_of: Callable[..., str]
) -> None:
    # What may not type-check is marked in the program: these must be errors, and all else none.
    node.run("tsc", "-p", ".", in_folder=folder)
    said = node.run("node", "built/use.js", in_folder=folder, PORTAL_URL=server.url, PORTAL_TOKEN=token_of(alice))
    task = Task.objects.get()
    assert json.loads(said) == {"id": str(task.pk), "status": "cancelled"}
