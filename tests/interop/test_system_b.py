"""Programs of system B, by its old names, against a real portal with a real node."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tasks.interop.futures import AsyncThreadPoolExecutor, async_as_completed
from tasks.interop.system_b import load_balancer, queue_manager
from tasks.interop.system_b.portal import close_portal
from tasks.models import Task
from tests.cluster.conftest import RunningNode
from tests.interop.functions import square
from tests.live_portal import live_portal

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
REPORT, HANDBOOK = SAMPLES / "report.pdf", SAMPLES / "handbook.pdf"
PATIENCE_SECONDS = 90


@pytest.fixture
def portal(
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    tmp_path: Path,
    alice: User,
    token_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    with live_portal(start_node=start_node, environment=environment, folder=tmp_path) as running:
        monkeypatch.setenv("PORTAL_URL", running.url)
        monkeypatch.setenv("PORTAL_TOKEN", token_of(alice))
        yield
        close_portal()


@pytest.mark.usefixtures("portal")
def test_program_of_system_b_works_by_its_old_names(tmp_path: Path) -> None:
    _pdf_batch_is_read_and_tells_its_progress()
    _files_are_processed_small_ones_first(tmp_path)
    _materials_are_compared()
    _what_is_not_there_is_said()
    _cancelled_batch_is_revoked(tmp_path)
    _balancer_answers()


def _pdf_batch_is_read_and_tells_its_progress() -> None:
    told: list[tuple[int, str]] = []
    is_done = threading.Event()

    def note(percent: int, message: str) -> None:
        told.append((percent, message))
        if percent == 100:
            is_done.set()

    task_id = queue_manager.submit_pdf_extraction_batch(
        file_materials={"offer": [str(REPORT)], "manual": [HANDBOOK]}, priority=7, progress_callback=note
    )
    result = queue_manager.get_task_result(task_id, timeout=PATIENCE_SECONDS)
    assert [outcome["status"] for outcome in result["files"]] == ["succeeded", "succeeded"]
    assert [material["name"] for material in result["materials"]] == ["offer", "manual"]
    status = queue_manager.get_task_status(task_id)
    assert (status["status"], status["progress"], status["type"]) == ("SUCCESS", 100, "pdf.batch")
    assert status["elapsed_time"] > 0
    assert is_done.wait(120)
    percents = [percent for percent, _ in told]
    assert percents == sorted(percents)


def _files_are_processed_small_ones_first(folder: Path) -> None:
    small, large = folder / "small.txt", folder / "large.txt"
    small.write_text("a note")
    large.write_text("word " * 2_400_000)
    batch_id = queue_manager.submit_file_processing_batch([large, str(small)], batch_size=5, priority=5)
    first, second = queue_manager.get_task_result(batch_id, timeout=PATIENCE_SECONDS)
    assert (first["size"], second["size"]) == (large.stat().st_size, small.stat().st_size)
    assert list(Task.objects.filter(batch_id=batch_id).order_by("id").values_list("priority", flat=True)) == [3, 7]
    assert queue_manager.get_task_status(batch_id)["status"] == "SUCCESS"


def _materials_are_compared() -> None:
    materials = {"offer": "Total: 120 EUR", "invoice": "Total: 130 EUR"}
    task_id = queue_manager.submit_cross_validation(materials, {"Total": "equal"})
    [difference] = queue_manager.get_task_result(task_id, timeout=PATIENCE_SECONDS)["differences"]
    assert "Total" in str(difference)


def _what_is_not_there_is_said() -> None:
    nobody = "01900000-0000-7000-8000-000000000000"
    assert queue_manager.get_task_status(nobody)["status"] == "NOT_FOUND"
    assert not queue_manager.cancel_task(nobody)
    with pytest.raises(ValueError, match="no task"):
        queue_manager.get_task_result(nobody)
    with pytest.raises(ValueError, match="pdf_extraction, file_processing"):
        load_balancer.select_optimal_queue("nothing")


def _cancelled_batch_is_revoked(folder: Path) -> None:
    path = folder / "note.txt"
    path.write_text("a note")
    batch_id = queue_manager.submit_file_processing_batch([path] * 20)
    assert queue_manager.cancel_task(batch_id)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (status := queue_manager.get_task_status(batch_id))["progress"] < 100:
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    assert status["status"] == "FAILURE"
    with pytest.raises(RuntimeError, match="cancelled"):
        queue_manager.get_task_result(batch_id)
    assert not queue_manager.cancel_task(batch_id)


def _balancer_answers() -> None:
    queue, priority = load_balancer.select_optimal_queue("pdf_extraction", task_size=20_000_000)
    assert (queue, priority) == ("documents", 6)
    assert load_balancer.should_throttle_tasks() is False
    assert load_balancer.get_recommended_batch_size("file_processing") >= 1
    stats = load_balancer.get_performance_stats()
    assert 0 <= stats["system_load"]["cpu_percent"] <= 100
    assert stats["system_load"]["memory_available_mb"] > 0
    assert stats["queue_loads"] == {"pdf_extraction": 0, "file_processing": 0, "validation": 0}
    assert stats["queue_stats"]["pdf_extraction"]["median_time"] > 0
    stands = queue_manager.get_queue_stats()
    assert (stands["active_tasks"], stands["has_workers"]["validation"]) == (0, True)


def test_nobody_is_asked_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_TOKEN", raising=False)
    with pytest.raises(RuntimeError, match="Set PORTAL_TOKEN"):
        queue_manager.get_queue_stats()


@pytest.mark.usefixtures("node")
def test_executor_of_system_b_runs_functions_as_tasks() -> None:
    with AsyncThreadPoolExecutor(max_workers=4) as executor:
        futures: list[Any] = [executor.submit(square, number) for number in range(5)]
        assert sorted(future.result() for future in async_as_completed(futures)) == [0, 1, 4, 9, 16]
