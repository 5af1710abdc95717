"""`queue_manager`: submit, watch and cancel by the names of system B."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

from tasks.client import Client
from tasks.client.errors import NotFound
from tasks.interop.system_b.portal import QUEUES, TYPES, close_portal, portal, type_of
from tasks.interop.system_b.priority import dynamic_priority

# Called with the percentage and what is being done, at each change; in a thread of its own.
ProgressCallback = Callable[[int, str], object]

STATUSES = {
    "waiting": "PENDING",
    "scheduled": "PENDING",
    "queued": "PENDING",
    "running": "PROGRESS",
    "cancelling": "PROGRESS",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "expired": "FAILURE",
    "cancelled": "REVOKED",
}
POLL_SECONDS = 0.5


class QueueManager:
    """Tasks are one's own, whoever submitted them; their ids are known after a restart, too."""

    def submit_pdf_extraction_batch(
        self,
        file_materials: Mapping[str, Sequence[str | Path]],
        priority: int = 7,
        progress_callback: ProgressCallback | None = None,
    ) -> str:
        """Upload PDFs by material and read them as one task (`pdf.batch`); return its id.

        Raises:
            OSError: a file cannot be read.
            PortalError: the portal refuses it.
        """
        materials = {name: [_upload(path) for path in paths] for name, paths in file_materials.items()}
        return self._submit("pdf.batch", {"materials": materials}, priority, progress_callback)

    def submit_file_processing_batch(
        self,
        file_paths: Sequence[str | Path],
        batch_size: int = 5,
        priority: int = 5,
        progress_callback: ProgressCallback | None = None,
    ) -> str:
        """Upload files and process each as a task of its own; return the id of their batch.

        Small files come before large ones (`dynamic_priority`). `batch_size` is of no use here: slots say how many
        run at once. Raises as `submit_pdf_extraction_batch`.
        """
        most = _most_priority()
        tasks = [
            {
                "type": TYPES["file_processing"],
                "input": {"file": _upload(path)},
                "priority": min(most, _priority_of(path, priority)),
                "on_quota": "downgrade",
            }
            for path in map(Path, file_paths)
        ]
        batch_id = str(portal().batch(tasks, name="file processing", atomic=True)["id"])
        self._tell(batch_id, progress_callback)
        return batch_id

    def submit_cross_validation(
        self,
        materials_data: Mapping[str, str],
        rules_data: Sequence[str] | Mapping[str, Any] = (),
        priority: int = 3,
        progress_callback: ProgressCallback | None = None,
    ) -> str:
        """Compare texts by material (`document.crosscheck`); return the task's id.

        Args:
            rules_data: what is compared, as the documents call it (“Total”), or by type (“dates”); of a mapping its
                keys. Nothing: everything.
        """
        texts = [{"name": name, "text": text} for name, text in materials_data.items()]
        given: dict[str, Any] = {"texts": texts} | ({"fields": list(rules_data)} if rules_data else {})
        return self._submit(TYPES["cross_validation"], given, priority, progress_callback)

    def get_task_status(self, task_id: str) -> dict[str, Any]:
        """Return `{task_id, status, progress (0 to 100), message, type, start_time, elapsed_time}`, times in seconds.

        `status` is PENDING, PROGRESS, SUCCESS, FAILURE, REVOKED, or NOT_FOUND of what is not one's own.
        """
        found = _find(task_id)
        return {"status": "NOT_FOUND", "message": "There is no such task."} if found is None else _shown(*found)

    def get_task_result(self, task_id: str, timeout: float = 30) -> Any:
        """Wait for a task and return its result; of a batch the list of results, in the order of its files.

        Raises:
            ValueError: there is no such task.
            TimeoutError: it was not done after `timeout` seconds.
            RuntimeError: it failed, or was cancelled; the message says why.
        """
        deadline = time.monotonic() + timeout
        while (found := _find(task_id)) is not None:
            thing, is_batch = found
            if thing["done"]:
                return _results_of(task_id) if is_batch else _result_of(thing)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The task {task_id} was not done after {timeout} seconds.")
            if is_batch:
                time.sleep(min(POLL_SECONDS, left))
            else:
                # One request that the portal holds open.
                portal().wait(task_id, timeout=left)
        raise ValueError(f"There is no task {task_id}.")

    def cancel_task(self, task_id: str) -> bool:
        """Cancel a task or a batch; say whether there was anything left to cancel."""
        found = _find(task_id)
        if found is None or found[0]["done"]:
            return False
        if found[1]:
            portal().cancel_batch(task_id)
        else:
            portal().cancel(task_id)
        return True

    def get_queue_stats(self) -> dict[str, Any]:
        """Return one's own tasks that have not ended, and by queue their number and whether there are workers."""
        queues = {queue["name"]: queue for queue in portal().queues()}
        mine = {name: queues[type_of(kind)["queue"]] for name, kind in QUEUES.items()}
        return {
            "active_tasks": sum(queue["own"]["queued"] + queue["own"]["running"] for queue in queues.values()),
            "running_tasks": sum(queue["own"]["running"] for queue in queues.values()),
            "has_workers": {name: queue["has_workers"] for name, queue in mine.items()},
            "queue_lengths": {name: queue["own"]["queued"] for name, queue in mine.items()},
        }

    def _submit(
        self, type_: str, given: Mapping[str, Any], priority: int, progress_callback: ProgressCallback | None
    ) -> str:
        # System B knew no plans: what a plan does not allow is lowered, and the task says so.
        task = portal().submit(type_, given, priority=min(priority, _most_priority()), on_quota="downgrade")
        self._tell(task["id"], progress_callback)
        return task["id"]

    def _tell(self, task_id: str, progress_callback: ProgressCallback | None) -> None:
        if progress_callback is not None:
            Thread(target=_follow, args=(task_id, progress_callback), daemon=True).start()


def _follow(task_id: str, progress_callback: ProgressCallback) -> None:
    last: tuple[int, str] | None = None
    try:
        while (found := _find(task_id)) is not None:
            shown = _shown(*found)
            now = (shown["progress"], shown["message"])
            if now != last:
                progress_callback(*now)
                last = now
            if found[0]["done"]:
                return
            time.sleep(POLL_SECONDS)
    finally:
        close_portal()


def _find(task_id: str) -> tuple[Any, bool] | None:
    """Return a task, or a batch and that it is one; None where there is neither."""
    client: Client = portal()
    for read, is_batch in ((client.get, False), (client.get_batch, True)):
        try:
            return read(task_id), is_batch
        except NotFound:
            continue
    return None


def _shown(thing: Mapping[str, Any], is_batch: bool) -> dict[str, Any]:
    status, progress, message = _batch_stand(thing) if is_batch else _task_stand(thing)
    start = datetime.fromisoformat(thing["created_at"]).timestamp()
    end = thing.get("finished_at")
    until = datetime.fromisoformat(end).timestamp() if end else time.time()
    return {
        "task_id": thing["id"],
        "status": status,
        "progress": progress,
        "message": message,
        "type": "batch" if is_batch else thing["type"],
        "start_time": start,
        "elapsed_time": max(0.0, until - start),
    }


def _task_stand(task: Mapping[str, Any]) -> tuple[str, int, str]:
    status = STATUSES[task["status"]]
    progress = 100 if task["done"] else int(100 * (task["progress"]["fraction"] or 0))
    message = task["error"]["message"] if task["error"] else task["progress"]["stage"] or task["status"]
    return status, progress, message


def _batch_stand(batch: Mapping[str, Any]) -> tuple[str, int, str]:
    counts, total = batch["counts"], max(1, batch["total"])
    ended = sum(counts.get(name, 0) for name in ("succeeded", "failed", "cancelled", "expired"))
    message = f"{ended} of {batch['total']} done"
    if not batch["done"]:
        return ("PROGRESS" if ended or counts.get("running") else "PENDING"), int(100 * ended / total), message
    return ("SUCCESS" if counts.get("succeeded", 0) == batch["total"] else "FAILURE"), 100, message


def _result_of(task: Mapping[str, Any]) -> Any:
    if task["status"] != "succeeded":
        raise RuntimeError(task["error"]["message"] if task["error"] else f"The task is {task['status']}.")
    return task["result"]


def _results_of(batch_id: str) -> list[Any]:
    items = list(portal().batch_results(batch_id))
    for item in items:
        if item["status"] != "succeeded":
            why = item["error"]["message"] if item["error"] else f"it is {item['status']}"
            raise RuntimeError(f"File {item['index'] + 1} of {len(items)}: {why}")
    return [item["result"] for item in items]


def _upload(path: str | Path) -> str:
    return str(portal().upload(path)["id"])


def _priority_of(path: Path, base: int) -> int:
    return dynamic_priority("file_processing", file_bytes=path.stat().st_size, base=base).value


def _most_priority() -> int:
    return int(portal().quota()["max_priority"])


queue_manager = QueueManager()
