"""Alarms of what does the work: nodes, queues, model servers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext, ngettext

from tasks.alarms.facts import Facts
from tasks.alarms.trouble import Trouble
from tasks.backends.figures import OUT_OF_ORDER, health_of
from tasks.figures.depths import NOT_COUNTED, Depth
from tasks.figures.nodes import last_words, standing_of
from tasks.measures import duration_text
from tasks.models import AlarmKind, Queue
from tasks.models.node import NodeStatus
from tasks.statuses import Status

NODES, QUEUES, BACKENDS = "/admin/tasks/node/", "/admin/tasks/queue/", "/admin/tasks/backend/"
TYPES = "/admin/types/"
# It is in the list of nodes for a day; whoever looks an hour later has seen it, or sees what came of it.
LOST_ALARMS = timedelta(hours=1)


def no_workers(facts: Facts) -> Iterator[Trouble]:
    """Yield the clusters of which no node takes work; it is worst where something waits for one."""
    waiting: defaultdict[str, int] = defaultdict(int)
    for queue in facts.queues:
        if queue.cluster_id not in facts.working:
            waiting[queue.cluster_id] += facts.depths[queue.pk].queued
    for cluster, count in sorted(waiting.items()):
        text = gettext("No node of the cluster {cluster} takes work.").format(cluster=cluster)
        if count:
            wait = ngettext("{count} task waits for one.", "{count} tasks wait for one.", count)
            text = f"{text} {wait.format(count=f'{count:,}')}"
        yield Trouble(AlarmKind.NO_WORKERS, cluster, f"{text} {_start()}", NODES)


def _start() -> str:
    return gettext("Start one: python manage.py qcluster")


def nodes(facts: Facts) -> Iterator[Trouble]:
    """Yield the nodes that were lost lately, fell silent, or drain."""
    for node in facts.nodes:
        path = f"{NODES}{node.pk}/change/"
        standing = standing_of(node, facts.now)
        if standing == NodeStatus.LOST and node.stopped_at and facts.now - node.stopped_at < LOST_ALARMS:
            when = duration_text(max(0.0, (facts.now - node.stopped_at).total_seconds()))
            text = gettext("{node} was lost {when} ago; {words}.").format(node=node, when=when, words=last_words(node))
            yield Trouble(AlarmKind.LOST_NODE, str(node.pk), text, path)
        elif standing == "silent":
            when = duration_text((facts.now - node.heartbeat_at).total_seconds())
            text = gettext("{node} has been silent for {when}.").format(node=node, when=when)
            yield Trouble(AlarmKind.LOST_NODE, str(node.pk), text, path)
        elif standing == NodeStatus.DRAINING:
            text = gettext("{node} is draining: it takes nothing new.").format(node=node)
            yield Trouble(AlarmKind.PAUSED, f"node {node.pk}", text, path, is_bad=False)


def queues(facts: Facts) -> Iterator[Trouble]:
    """Yield the queues that are paused, and those whose oldest task has waited for too long."""
    unknown = 0
    limit = facts.settings.oldest_wait_minutes * 60
    for queue in facts.queues:
        depth = facts.depths[queue.pk]
        if queue.paused_at:
            yield Trouble(AlarmKind.PAUSED, f"queue {queue.pk}", _paused_text(queue, depth), QUEUES, is_bad=False)
        elif (depth.oldest_seconds or 0) > limit:
            when = duration_text(depth.oldest_seconds)
            oldest = gettext("at least {when}").format(when=when) if depth.is_partial else when
            text = gettext("The oldest task in {queue} has waited for {oldest}.").format(queue=queue, oldest=oldest)
            tasks = f"/admin/tasks/task/?{urlencode({'queue': queue.pk, 'status': 'queued'})}"
            yield Trouble(AlarmKind.OLDEST_WAIT, queue.pk, text, tasks, is_bad=False)
        elif Status.READY in depth.cut:
            # Of held ones the oldest is looked for in each lane, however many are counted.
            unknown += 1
    if unknown:
        text = ngettext(
            "More tasks wait than are counted: how long the oldest in one queue waits is not known.",
            "More tasks wait than are counted: how long the oldest in {count} queues waits is not known.",
            unknown,
        ).format(count=unknown)
        yield Trouble(AlarmKind.OLDEST_WAIT, "not counted", text, QUEUES, is_bad=False)


def types(facts: Facts) -> Iterator[Trouble]:
    """Yield the task types that are paused."""
    for paused in facts.paused_types:
        reason = f" ({paused.reason})" if paused.reason else ""
        text = gettext("The task type {type} is paused{reason}.").format(type=paused.pk, reason=reason)
        yield Trouble(AlarmKind.PAUSED, f"task type {paused.pk}", text, TYPES, is_bad=False)


def _paused_text(queue: Queue, depth: Depth) -> str:
    reason = f" ({queue.paused_reason})" if queue.paused_reason else ""
    if depth.queued_text == NOT_COUNTED:
        count = gettext("what waits in it was not counted")
    else:
        count = gettext("{count} wait in it").format(count=depth.queued_text)
    return gettext("The queue {queue} is paused{reason}; {count}.").format(queue=queue, reason=reason, count=count)


def backends(facts: Facts) -> Iterator[Trouble]:
    """Yield the model servers that are out of order or drained; it is worst where none of their kind is left."""
    healths = {backend: health_of(backend, facts.now) for backend in facts.backends}
    called: defaultdict[str, set[str]] = defaultdict(set)
    for backend, health in healths.items():
        if health not in {"drained", "unnamed"}:
            called[backend.kind].add(health)
    for kind, found in called.items():
        if found <= OUT_OF_ORDER:
            text = gettext("No model server for {kind} answers.").format(kind=kind)
            yield Trouble(AlarmKind.BACKEND, kind, text, BACKENDS)
    for backend, health in healths.items():
        path = f"{BACKENDS}{backend.pk}/change/"
        if health in OUT_OF_ORDER:
            text = gettext("The model server {backend} is out of order: {why}").format(
                backend=backend, why=backend.last_error[:200] or gettext("it does not answer.")
            )
            yield Trouble(AlarmKind.BACKEND, str(backend.pk), text, path, is_bad=False)
        elif health == "drained":
            text = gettext("The model server {backend} is drained: no calls start on it.").format(backend=backend)
            yield Trouble(AlarmKind.PAUSED, f"backend {backend.pk}", text, path, is_bad=False)
