"""What each command does. Each returns the exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import PortalError
from ..portal import Client
from ..shapes import Task
from ..submission import SubmissionOptions
from . import output
from .fields import read_fields
from .usage import ExitCode, UsageError
from .watching import watch as watch_task


def submit(client: Client, arguments: Namespace) -> int:
    data = read_fields(arguments.fields, partial(_upload, client))
    task = client.submit(arguments.type, data, idempotency_key=arguments.idempotency_key, **_options(arguments))
    return _after_submission(client, arguments, task)


def copy(client: Client, arguments: Namespace) -> int:
    data = read_fields(arguments.fields, partial(_upload, client)) or None
    task = client.copy(arguments.id, input=data, idempotency_key=arguments.idempotency_key, **_options(arguments))
    return _after_submission(client, arguments, task)


def retry(client: Client, arguments: Namespace) -> int:
    return _after_submission(client, arguments, client.retry(arguments.id))


def watch(client: Client, arguments: Namespace) -> int:
    try:
        task, is_written = watch_task(client, arguments.id, with_text=not arguments.json)
    except KeyboardInterrupt:
        output.note(f"The task goes on. To watch it again: watch {arguments.id}; to stop it: cancel {arguments.id}")
        return ExitCode.INTERRUPTED
    if arguments.json:
        output.write_json(task)
    elif task["status"] == "succeeded" and not is_written:
        output.write(output.readable(task["result"]))
    if task["status"] == "succeeded":
        return ExitCode.SUCCEEDED
    output.note(f"portal: {task['type']} {task['id']} {output.status_line(task)}")
    return ExitCode.TASK_FAILED


def get(client: Client, arguments: Namespace) -> int:
    task = client.get(arguments.id)
    if arguments.json:
        output.write_json(task)
        return ExitCode.SUCCEEDED
    fraction = task["progress"]["fraction"]
    facts = {
        "id": task["id"],
        "type": task["type"],
        "status": output.status_line(task),
        "stage": task["progress"]["stage"],
        "progress": None if fraction is None or task["done"] else f"{fraction:.0%}",
        "priority": task["priority"]["effective"],
        "attempts": f"{task['attempts']['made']} of {task['attempts']['max']}",
        "tags": " ".join(task["tags"]),
        "engine": (task["engine"] or {}).get("name"),
        "created": task["created_at"],
        "started": task["started_at"],
        "finished": task["finished_at"],
    }
    output.write_facts(facts)
    return ExitCode.SUCCEEDED


def list_tasks(client: Client, arguments: Namespace) -> int:
    given = {name: getattr(arguments, name) for name in ("q", "status", "type", "queue", "tag", "batch")}
    filters: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    page = {"limit": min(arguments.limit, 100) if arguments.limit > 0 else 100}
    tasks = client.iter(metadata=_pairs(arguments.metadata), **filters, **page)
    chosen = tasks if arguments.limit <= 0 else islice(tasks, arguments.limit)
    if arguments.json:
        for task in chosen:
            output.write_json_line(task)
        return ExitCode.SUCCEEDED
    rows = ([task["id"], task["type"], task["status"], task["created_at"], _remark(task)] for task in chosen)
    output.write_rows(["id", "type", "status", "created", ""], rows)
    return ExitCode.SUCCEEDED


def cancel(client: Client, arguments: Namespace) -> int:
    """Cancel each; one that is not there does not keep the others alive."""
    code = ExitCode.SUCCEEDED
    for task_id in arguments.ids:
        try:
            task = client.cancel(task_id)
        except PortalError as error:
            output.note(f"portal: {error.detail}")
            code = ExitCode.REFUSED
            continue
        if arguments.json:
            output.write_json_line(task)
        else:
            output.write(f"{task['id']}\t{task['status']}")
    return code


def result(client: Client, arguments: Namespace) -> int:
    found = client.result(arguments.id)
    made = _files_of(found)
    if arguments.output is None:
        output.write_json(found) if arguments.json else output.write(output.readable(found))
    elif len(made) == 1 and not arguments.json:
        _to_file(arguments.output, lambda path: client.download(made[0], path))
    else:
        text = output.json_text(found) if arguments.json else output.readable(found)
        _to_file(arguments.output, lambda path: path.write_bytes(text.encode("utf-8", "replace") + b"\n"))
    return ExitCode.SUCCEEDED


def upload(client: Client, arguments: Namespace) -> int:
    for name in arguments.files:
        try:
            file = client.upload(sys.stdin.buffer.read() if name == "-" else Path(name))
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
        if arguments.json:
            output.write_json_line(file)
        else:
            output.write(file["id"])
    return ExitCode.SUCCEEDED


def download(client: Client, arguments: Namespace) -> int:
    if arguments.output is not None:
        _to_file(arguments.output, lambda path: client.download(arguments.id, path))
    else:
        sys.stdout.buffer.write(client.download(arguments.id))
        sys.stdout.buffer.flush()
    return ExitCode.SUCCEEDED


def types(client: Client, arguments: Namespace) -> int:
    if arguments.name is not None:
        output.write_json(client.task_type(arguments.name))
    elif arguments.json:
        output.write_json(client.task_types())
    else:
        rows = [[found["name"], found["title"], _readiness(found)] for found in client.task_types()]
        output.write_rows(["name", "title", "ready"], rows)
    return ExitCode.SUCCEEDED


def quota(client: Client, arguments: Namespace) -> int:
    found = client.quota()
    if arguments.json:
        output.write_json(found)
        return ExitCode.SUCCEEDED
    spent = {
        name: f"{part['used']:,} of {part['limit']:,}" if part["limit"] is not None else f"{part['used']:,}"
        for name, part in found["allowances"].items()
    }
    keep = ("plan", "slots", "running", "held", "max_priority", "max_waiting")
    output.write_facts({name: str(found[name]) for name in keep if found.get(name) is not None} | spent)
    return ExitCode.SUCCEEDED


def _after_submission(client: Client, arguments: Namespace, task: Task) -> int:
    if arguments.wait:
        arguments.id = task["id"]
        return watch(client, arguments)
    if arguments.json:
        output.write_json(task)
    else:
        output.write(task["id"])
    return ExitCode.SUCCEEDED


def _options(arguments: Namespace) -> dict[str, Any]:
    options = {name: getattr(arguments, name) for name in SubmissionOptions.__annotations__}
    options["metadata"] = _pairs(arguments.metadata)
    return {name: value for name, value in options.items() if value is not None}


def _pairs(words: list[str] | None) -> dict[str, str] | None:
    if words is None:
        return None
    for word in words:
        if "=" not in word:
            raise UsageError(f"{word!r} is not KEY=VALUE.")
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _upload(client: Client, source: Path | bytes) -> str:
    return client.upload(source, name="standard input" if isinstance(source, bytes) else None)["id"]


def _files_of(result: Any) -> list[str]:
    """Return the ids of the files that a task made: images, or whatever files it lists."""
    listed = (result.get("images") or result.get("files") or []) if isinstance(result, dict) else []
    return [made["file"] if isinstance(made, dict) else made for made in listed]


def _to_file(name: str, fill: Callable[[Path], object]) -> None:
    try:
        fill(Path(name))
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}.") from error


def _remark(task: Task) -> str:
    if task["error"] and task["status"] != "succeeded":
        return str(task["error"]["message"])
    return str((not task["done"] and task["progress"]["stage"]) or "")


def _readiness(found: dict[str, Any]) -> str:
    engine = found["engine"]
    return str(engine["engine"] or "yes") if found["ready"] else f"no: {engine['hint']}"


ACTIONS: dict[str, Callable[[Client, Namespace], int]] = {
    "submit": submit,
    "copy": copy,
    "get": get,
    "list": list_tasks,
    "cancel": cancel,
    "retry": retry,
    "result": result,
    "upload": upload,
    "download": download,
    "types": types,
    "quota": quota,
    "watch": watch,
}
