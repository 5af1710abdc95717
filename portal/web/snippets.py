"""The same submission for programs: with curl and with Python."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from tasks.registry import TaskType

# A pasted text of a whole book would hide the call.
LONGEST_STRING = 300
FILE_ID = "ID-OF-THE-FILE"


@dataclass(frozen=True)
class Snippet:
    title: str
    code: str


def for_submission(request: HttpRequest, type_name: str, task_input: dict[str, Any]) -> list[Snippet]:
    """Return the calls that submit this input; they read the token from PORTAL_TOKEN."""
    url = request.build_absolute_uri("/api/v1/tasks")
    body = {"type": type_name, "input": _shorten(task_input)}
    return [Snippet("curl", _curl(url, body)), Snippet("Python", _python(url, body))]


def for_type(request: HttpRequest, definition: TaskType) -> list[Snippet]:
    """Return the calls for a type's example; where it takes files, how to upload one comes first."""
    task_input = dict(definition.example)
    found = []
    for name in definition.file_fields():
        if name in task_input:
            task_input[name] = [FILE_ID] if isinstance(task_input[name], list) else FILE_ID
            found = [Snippet("Upload the file first; the answer has its id", _upload(request))]
    return found + for_submission(request, definition.name, task_input)


def _upload(request: HttpRequest) -> str:
    url = request.build_absolute_uri("/api/v1/files")
    return f'curl {url} \\\n  -H "Authorization: Bearer $PORTAL_TOKEN" \\\n  -F file=@document.pdf'


def _curl(url: str, body: dict[str, Any]) -> str:
    text = shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))
    return (
        f"curl {url} \\\n"
        '  -H "Authorization: Bearer $PORTAL_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {text}"
    )


def _python(url: str, body: dict[str, Any]) -> str:
    # json.loads of a literal would be safest; repr reads better and is exact for JSON's types.
    return (
        "import os, time, httpx\n\n"
        f"api = httpx.Client(base_url={url.removesuffix('/tasks')!r}, timeout=40,\n"
        '                   headers={"Authorization": f"Bearer {os.environ[\'PORTAL_TOKEN\']}"})\n'
        f"body = {body!r}\n"
        'task = api.post("/tasks", json=body).raise_for_status().json()\n'
        'while not task["done"]:\n'
        "    time.sleep(0.5)\n"
        "    task = api.get(f\"/tasks/{task['id']}\").raise_for_status().json()\n"
        'print(task["status"], task["result"])'
    )


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shorten(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_shorten(member) for member in value]
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return value[:LONGEST_STRING] + "…"
    return value
