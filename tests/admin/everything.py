"""One of everything that operators' pages show, in the states it can be in; every address, from the resolver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.db.models.functions import Now
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from accounts.models import ApiToken, PlanOverride, User
from accounts.tokens import create_token, revoke_token
from tasks.figures.causes import note_causes
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import (
    Alarm,
    Backend,
    Cause,
    File,
    Node,
    PausedType,
    Queue,
    SavedView,
    Schedule,
    ScheduleRun,
    Task,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.operations.action import Choice
from tasks.operations.causes import acknowledge
from tasks.operations.manage import pause_operation, start_operation
from tasks.operations.task_filter import TaskFilter
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule, pause_schedule
from tasks.secrets import seal
from tests.admin.conftest import claim, fail_one, submit_echo, succeed_one

# Nobody's ids: of something that was removed meanwhile, of another kind, of nothing.
NOBODYS = ["00000000-0000-4000-8000-000000000000", "99999999999999999999", "a\0b"]
PLACE = re.compile(r"\(\?P<(?P<old>\w+)>[^)]*\)|<(?:\w+:)?(?P<new>\w+)>")


def make_everything(alice: User, bob: User, held: User, node: Node) -> None:
    """Make it: alice has a token, a boost and tasks; bob has nothing; one user is held."""
    echo = Submission("diagnostic.echo", {"message": "x"}, tags=["a-tag"], metadata={"customer": "x"})
    fail_one(alice, node)
    purged = fail_one(alice, node, "The file is “odd” <b>.")
    Task.objects.get(pk=purged).content.delete()
    note_causes()
    for cause in Cause.objects.all():
        acknowledge(cause.pk, by=alice, note="It is known.")
    succeed_one(alice, node)
    submit_echo(alice)
    claim(node)
    submit_echo(alice)
    claimed = claim(node)
    cancel_task(claimed.id, by=alice)
    first = submit_task(alice, echo).task
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, needs=[first.pk]))
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, run_after=timezone.now() + timedelta(days=1)))
    cancel_task(submit_echo(held).pk, by=held)
    submit_batch(alice, [echo], name="a batch")
    for name in ("going", "resting"):
        made = start_operation(Choice("cancel"), TaskFilter(statuses=("queued",), tag="a-tag"), by=alice, owner=alice)
        if name == "resting":
            pause_operation(made.pk, by=alice)
    create_token(alice, name="a token", scopes=["tasks:read"])
    create_token(alice, name="an old token", scopes=[])
    revoke_token(ApiToken.objects.get(name="an old token"))
    PlanOverride.objects.create(user=alice, limit="weight", value=3, reason="a deadline", made_by=alice)
    User.objects.filter(pk=held.pk).update(is_active=False)
    File.objects.create(owner=alice, name="a.pdf", size=12, content_type="application/pdf", sha256="0" * 64, data="x")
    Queue.objects.filter(pk="images").update(paused_at=Now(), paused_reason="new weights")
    PausedType.objects.create(type="image.generate", reason="new weights")
    Alarm.objects.create(kind="disk", about="room", text="Little is left.", path="/admin/tasks/file/", is_bad=False)
    _nodes(node)
    _schedules(alice, bob)
    _webhooks(alice)
    for name, enabled in (("gpu-1", True), ("gpu-2", False)):
        Backend.objects.create(kind="chat", name=name, base_url=f"http://{name}.invalid/v1", enabled=enabled)


def keys_of(model: type[Model]) -> list[str]:
    """Return the keys of the rows that there are, as they stand in an address."""
    return [str(quote(key)) for key in model._default_manager.order_by("pk").values_list("pk", flat=True)]


def addresses(*, of_all: bool) -> Iterator[str]:
    """Yield every address of the admin: for one row of each kind; or for all there are, and for what is none."""
    keys = {model: keys_of(model) for model in admin.site._registry}
    for route, name in _patterns(admin.site.get_urls()):
        model = next((model for model in keys if name.startswith(_prefix(model))), None)
        rows = keys[model] if model else []
        rows = [*rows[: None if of_all and name.endswith("_change") else 1], *(NOBODYS if of_all or not rows else [])]
        values: dict[str, list[str]] = {
            "verb": ["retry", "mute", *(["nonsense", "move"] if of_all else [])],
            "app_label": ["tasks", "nonsense"],
            "content_type_id": ["1"],
            "token_id": [*ApiToken.objects.values_list("pk", flat=True), "none"],
            "cause_id": [*map(str, Cause.objects.order_by("pk").values_list("pk", flat=True)[:2]), NOBODYS[1]],
            "override_id": [*map(str, PlanOverride.objects.values_list("pk", flat=True)), NOBODYS[1]],
            "url": ["nonsense"],
            "view_id": [*map(str, SavedView.objects.values_list("pk", flat=True)), NOBODYS[1]],
            "type_name": ["diagnostic.echo", "image.generate", "nonsense"],
        }
        names = [found["old"] or found["new"] for found in PLACE.finditer(route)]
        # Of the combinations, a few.
        for chosen in list(product(*[values.get(one, rows) for one in names]))[: None if len(names) == 1 else 6]:
            given = iter(chosen)
            path = PLACE.sub(lambda _found, given=given: next(given), route)  # type: ignore[misc]
            yield "/admin/" + path.strip("^$").replace(r"\Z", "").replace("\0", "%00")


def _prefix(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_"


def _patterns(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.name or _name_of(before)


def _name_of(before: str) -> str:
    return before.rstrip("/").replace("/", "_") + "_"


def _nodes(node: Node) -> None:
    for status in ("draining", "stopped", "lost"):
        Node.objects.create(
            id=uuid4(), name=status, cluster_id="default", host="h", pid=1, version="0", workers=1, status=status
        )


def _schedules(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        made = create_schedule(owner, Draft(Submission("diagnostic.echo", {"message": "x"}), cron="0 6 * * *"))
        ScheduleRun.objects.create(schedule=made, due_at=timezone.now(), outcome="refused", error={"message": "No."})
    pause_schedule(Schedule.objects.latest("created_at").pk, by=bob, reason="a holiday")


def _webhooks(alice: User) -> None:
    now, task = timezone.now(), Task.objects.filter(owner=alice).latest("id").pk
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://hooks.example.com/T0/secret", events=["task.failed"], secret=seal("whsec_AAAA")
    )
    tries = [{"at": now.isoformat(), "seconds": 0.2, "http_status": 500, "error": "It said 500.", "task": str(task)}]
    for version, (status, ended) in enumerate((("failed", now), ("succeeded", now), ("pending", None))):
        WebhookDelivery.objects.create(
            owner=alice, endpoint=endpoint, url=endpoint.url, event="task.failed", task_id=task, task_version=version,
            payload={}, status=status, tries=tries, error="", give_up_at=now + timedelta(days=1),
            next_try_at=None if ended else now, finished_at=ended,
        )  # fmt: skip
