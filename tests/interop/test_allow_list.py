"""What is not allowed does not run: not at submission, not by a planted row, not through the API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from accounts.models import User
from tasks import errors, registry
from tasks.functions.allowed import check_allowed, find_function, name_of
from tasks.handlers.python_call import CallInput, python_call
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Node, Task
from tasks.models.attempt import Outcome
from tests.cluster.conftest import RunningNode, wait_for_end, wait_until
from tests.interop import functions
from tests.interop.conftest import ALLOWED, SERVICE

NAME = f"{ALLOWED}.square"


@pytest.fixture
def _allowed(settings: Any) -> None:
    settings.TASK_FUNCTIONS = [ALLOWED]


@pytest.mark.usefixtures("_allowed")
def test_prefix_allows_the_module_and_what_is_below_it_only(settings: Any) -> None:
    assert name_of(functions.square) == NAME
    for name in ("os.system", "tests.interop.functions_of_others.f", "tests.interop.functions", "system", "", "a..b"):
        with pytest.raises(errors.FunctionNotAllowed):
            check_allowed(name)
    settings.TASK_FUNCTIONS = ["tests"]
    check_allowed(NAME)
    settings.TASK_FUNCTIONS = []
    with pytest.raises(errors.FunctionNotAllowed, match="allows nothing"):
        check_allowed(NAME)


@pytest.mark.usefixtures("_allowed")
def test_what_a_module_only_imported_is_not_its_own() -> None:
    for name in ("getpid", "User", "transaction", "NOTHING", "__name__"):
        with pytest.raises(errors.FunctionNotAllowed):
            find_function(f"{ALLOWED}.{name}")


@pytest.mark.usefixtures("_allowed")
def test_functions_that_a_worker_could_not_find_are_refused() -> None:
    def inner() -> None: ...

    refused: list[Callable[..., object]] = [
        inner,
        lambda: None,
        functools.partial(functions.square, 2),
        [].append,
        print,
    ]
    for function in refused:
        with pytest.raises(errors.FunctionNotAllowed):
            name_of(function)


@pytest.mark.usefixtures("_allowed")
def test_function_behind_a_decorator_that_hides_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    original = functions.square
    monkeypatch.setattr(functions, "square", functools.wraps(original)(lambda number: number))
    with pytest.raises(errors.FunctionNotAllowed, match="another object"):
        name_of(original)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_users_know_no_such_task_type(alice: User, settings: Any) -> None:
    settings.TASK_FUNCTIONS = [ALLOWED]
    assert "python.call" not in registry.all_types()
    with pytest.raises(errors.UnknownTaskType):
        submit_task(alice, Submission("python.call", {"function": NAME, "args": [2]}))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_api_refuses_the_internal_type(alice: User, token_of: Callable[..., str], client: Any, settings: Any) -> None:
    settings.TASK_FUNCTIONS = [ALLOWED]
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    body = {"type": "python.call", "input": {"function": NAME, "args": [2]}, "internal": True}
    for refused, code in ((body, "unknown_field"), (body | {"internal": False}, "unknown_field")):
        answer = client.post("/api/v1/tasks", refused, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    del body["internal"]
    answer = client.post("/api/v1/tasks", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_task_type")
    assert client.get("/api/v1/task-types/python.call", headers=headers).status_code == 404
    assert not Task.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_node_without_functions_leaves_them_to_another(service: User, start_node: Callable[..., RunningNode]) -> None:
    for _ in range(2):
        start_node(TASK_FUNCTIONS="", TASK_USER="")
    # Where none runs functions they say what is missing; beside one that does they leave functions alone.
    task = submit_task(service, Submission("python.call", {"function": NAME, "args": [3]}, internal=True)).task
    wait_until(lambda: Attempt.objects.filter(task=task, outcome=Outcome.SNOOZED).exists())
    attempt = Attempt.objects.filter(task=task).earliest("number")
    assert "No living node runs functions" in attempt.error["message"]
    start_node(workers=3, TASK_FUNCTIONS=ALLOWED, TASK_USER=SERVICE)
    wait_for_end(task)
    assert (task.status, task.attempts_charged) == ("succeeded", 1)
    assert Node.objects.filter(status="alive").count() == 3
    others = [
        submit_task(service, Submission("python.call", {"function": NAME, "args": [3]}, internal=True)).task
        for _ in range(10)
    ]
    wait_for_end(*others)
    assert set(Attempt.objects.filter(task__in=others).values_list("outcome", flat=True)) == {"succeeded"}


@pytest.mark.parametrize(
    ("attempt", "raised"), [(1, errors.Snooze), (100, errors.Snooze), (101, errors.FunctionNotAllowed)]
)
def test_patience_with_nodes_without_functions_ends(settings: Any, attempt: int, raised: type[Exception]) -> None:
    settings.TASK_FUNCTIONS = []
    with pytest.raises(raised, match=r"TASK_FUNCTIONS (is empty|allows nothing)"):
        python_call(Mock(attempt=attempt, task_id=uuid4()), CallInput(function=NAME, args=[3]))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_planted_row_runs_nothing_that_its_worker_does_not_allow(
    service: User, start_node: Callable[..., RunningNode], tmp_path: Path
) -> None:
    mark, allowed = tmp_path / "mark", tmp_path / "allowed"
    names = [f"{ALLOWED}.leave_mark", "os.system", "pathlib.Path", f"{ALLOWED}.getpid"]
    given = [[str(mark)], [f"touch {mark}"], [str(mark)], []]
    planted = [
        submit_task(
            service, Submission("python.call", {"function": name, "args": args}, metadata={"row": name}, internal=True)
        ).task
        for name, args in zip(names, given, strict=True)
    ]
    # This node allows another module: the name in the row is all that an intruder has.
    node = start_node(TASK_FUNCTIONS="tests.interop.conftest", TASK_USER=SERVICE)
    wait_for_end(*planted)
    node.stop()
    assert {(task.status, task.error["code"]) for task in planted} == {("failed", "function_not_allowed")}
    assert not mark.exists()

    start_node(TASK_FUNCTIONS=ALLOWED, TASK_USER=SERVICE)
    wanted = {"function": names[0], "args": [str(allowed)]}
    run = submit_task(service, Submission("python.call", wanted, internal=True)).task
    imported = submit_task(service, Submission("python.call", {"function": names[3]}, internal=True)).task
    wait_for_end(run, imported)
    assert run.status == "succeeded"
    assert allowed.exists()
    assert imported.error["code"] == "function_not_allowed"
