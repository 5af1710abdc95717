"""Who submits, to which queues, and the million tasks that are held behind: made by a few statements, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import Plan, User
from tasks.lifecycle import estimate
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Estimate, Learning, Queue, Task

TYPE = "bench.noop"
# Never paused: what is submitted one at a time.
NOW = "bench"
# Drained, with the million behind; paused else. One for each kind of drain, so that only its own lanes move.
ONE, MANY = "bench-one", "bench-many"
SLOTS = 64
USERS = 100
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Scene:
    """`free` always has slots left; `one` has 64, and `many` are a hundred users who have as many."""

    free: User
    one: User
    many: Sequence[User]


def set_up() -> Scene:
    for name in (NOW, ONE, MANY):
        Queue.objects.create(name=name, title=name, cluster_id="default")
    return Scene(
        make_user("free", slots=100_000), make_user("one"), [make_user(f"many {number}") for number in range(USERS)]
    )


def make_user(name: str, *, slots: int = SLOTS, weight: float = 1.0) -> User:
    """Make a user whose plan stands in nobody's way."""
    limits = {field.name: getattr(Plan.objects.get(name="Internal"), field.name) for field in Plan._meta.fields}
    own = {"id": None, "name": f"bench: {name}", "is_default": False, "max_waiting": 2_000_000_000}
    plan = Plan.objects.create(**limits | own | {"slots": slots, "weight": weight})
    return User.objects.create_user(f"{name.replace(' ', '-')}@bench.example", None, plan=plan)


def noop(queue: str = NOW) -> Submission:
    return Submission(TYPE, {"number": 1}, queue=queue)


def forget_estimates() -> None:
    """Have the types be unknown again, as on the first day."""
    Estimate.objects.all().delete()
    last = Attempt.objects.order_by("-id").values_list("id", flat=True).first() or 0
    Learning.objects.update(last_attempt=last)
    estimate.forget_cache()


def learn_estimates() -> None:
    while estimate.learn_estimates():
        pass
    estimate.forget_cache()


def hold(scene: Scene, count: int) -> None:
    """Hold so many more tasks behind all others: half of them the one user's, half those of the many.

    Both queues must be paused.
    """
    for users, queue in (([scene.one], ONE), (scene.many, MANY)):
        first = [submit_task(user, noop(queue)).task for user in users]
        lanes = [task.lane_id for task in first]
        each = count // 2 // len(lanes)
        for start in range(0, each * len(lanes), ROWS_AT_ONCE):
            _insert(first[0].pk, lanes, start, min(start + ROWS_AT_ONCE, each * len(lanes)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE task")
        cursor.execute("VACUUM ANALYZE task_content")


def settle() -> None:
    """Have the server write now what it would else write beside the measurement: gigabytes after a million inserts."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _insert(held: UUID, lanes: Sequence[int], start: int, end: int) -> None:
    """Insert copies of a held task, in the order of their ids, spread over the lanes."""
    own = ("id", "owner_id", "lane_id", "line_key")
    columns = ", ".join(field.column for field in Task._meta.concrete_fields if field.column not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH copy AS (
                INSERT INTO task (id, owner_id, lane_id, line_key, {columns})
                SELECT uuidv7(), lane.user_id, lane.id, one.line_key + 1e8 + number, {columns}
                  FROM (SELECT {columns}, line_key FROM task WHERE id = %(held)s) AS one
                 CROSS JOIN generate_series(%(start)s, %(end)s - 1) AS number
                  JOIN lane ON lane.id = (%(lanes)s::bigint[])[1 + number %% cardinality(%(lanes)s::bigint[])]
                RETURNING id)
            INSERT INTO task_content (task_id, input)
            SELECT copy.id, content.input FROM copy CROSS JOIN task_content AS content WHERE content.task_id = %(held)s
            """,
            {"held": held, "lanes": list(lanes), "start": start, "end": end},
        )
