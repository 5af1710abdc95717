"""schemathesis against a live server, over every operation of the stored document: nothing undocumented, no 5xx."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from tasks.management.commands.openapi import STORED
from tests.api.conformance import run_phases
from tests.api.conftest import Work
from tests.api.known_things import BODIES, known_things
from tests.web.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SECONDS = 120.0


def test_every_operation_keeps_the_document(
    server: LiveServer, make_user: Callable[..., User], token_of: Callable[..., str], work: Work
) -> None:
    before = server.log()
    carol = make_user("carol", plan="Internal")
    things = make_things(server.url, token_of(carol))
    # The first of them was submitted first: it succeeds, so that there is a result.
    work()
    schema: Any = schemathesis.openapi.from_dict(yaml.safe_load(STORED.read_text()))
    wrong: dict[str, str] = {}
    operations = [found.ok() for found in schema.get_all_operations()]
    # What deletes comes last: the others need what it deletes.
    operations.sort(key=lambda operation: operation.method.upper() == "DELETE")
    for operation in operations:
        cases = operation.as_strategy()  # takes longer to make than to use
        try:
            run(operation, cases, server.url, token_of(carol), None)
            run(operation, cases, server.url, token_of(carol), things)
        except BaseExceptionGroup as failures:
            wrong[operation.label] = "\n".join(str(failure) for failure in failures.exceptions)
        except AssertionError as failure:
            # Some failures of schemathesis have no text.
            wrong[operation.label] = f"{type(failure).__name__}: {failure} {vars(failure)}"
    assert not wrong, "\n\n".join(f"{label}\n{text}" for label, text in wrong.items())
    assert len(operations) > 50
    assert "Traceback" not in server.log()[len(before) :]


# What carries content can be answered well in both; so many operations are, in the time of `make test`.
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("phases", "share"), [("examples,coverage", 0.6), ("fuzzing,stateful", 0.4)])
def test_all_phases_find_nothing(
    server: LiveServer,
    make_user: Callable[..., User],
    token_of: Callable[..., str],
    work: Work,
    tmp_path: Path,
    phases: str,
    share: float,
) -> None:
    before = server.log()
    carol = make_user("carol", plan="Internal", max_waiting=1_000_000)
    token = token_of(carol)
    make_things(server.url, token)
    work()
    run = run_phases(phases, url=server.url, token=token, folder=tmp_path, share=share)
    assert not run.findings, run.findings
    assert "Traceback" not in server.log()[len(before) :]
    # It was heard: a token that is revoked or a limit that is reached would find nothing, either.
    assert len({operation for operation, status in run.answers if status < 300}) >= 20
    assert httpx.get(f"{server.url}/api/v1/quota", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def make_things(url: str, token: str) -> dict[str, str]:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as portal:

        def post(path: str, body: Any) -> dict[str, Any]:
            given: Any = {"content": body} if isinstance(body, bytes) else {"json": body}
            made: dict[str, Any] = portal.post(path, **given).raise_for_status().json()
            return made

        return known_things(post)


def run(operation: Any, cases: Any, url: str, token: str, things: dict[str, str] | None) -> None:
    """Send generated requests of one operation; with `things`, about what is there, and with bodies that are taken."""
    definition = operation.definition.raw
    # A stream stays open by design, and has tests of its own: here it is asked for in a form that it does not have.
    streams = list(definition["responses"].get("200", {}).get("content", {})) == ["text/event-stream"]
    accept = "application/json" if streams else "application/json, */*;q=0.8"

    # Failures are told as they are: looking for the smallest request takes longer than all the rest.
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def send(case: Any) -> None:
        if things is not None:
            case.path_parameters = {name: things[name] for name in case.path_parameters}
            case.body = BODIES.get(definition["operationId"], case.body)
        # Long polls are tested elsewhere, too.
        headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "prefer"}
        case.headers = headers | {"Accept": accept, "Authorization": f"Bearer {token}"}
        case.validate_response(case.call(base_url=url, timeout=SECONDS), checks=CHECKS)

    send()
