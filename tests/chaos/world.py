"""Everything that can happen to tasks, as actions on real Postgres that may run one after another or two at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from accounts.models import Plan, User
from tasks import errors, sql
from tasks.context import ChildTask
from tasks.duties import all_duties
from tasks.lifecycle import children, ending, finish, recover, routing
from tasks.lifecycle.apply_limits import apply_limits
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.cancel_batch import cancel_batch
from tasks.lifecycle.claim import Claimed, claim_tasks
from tasks.lifecycle.ending import Ending
from tasks.lifecycle.fill import fill_lanes
from tasks.lifecycle.move import move_task, set_priority
from tasks.lifecycle.pause import pause_queue, pause_type, resume_queue, resume_type
from tasks.lifecycle.retry import retry_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Attempt, Cluster, Lane, Node, Queue, Task
from tasks.models.attempt import Outcome
from tasks.models.ids import new_id

# Two clusters with a queue each; tasks of the first may be sent to the queue of the second.
QUEUES = {"diagnostics": "default", "text": "gpu"}
WIPED = ("settlement", "attempt", "event", "dependency", "task_content", "task", "batch", "node", "lane", "usage",
         "audit_entry", "paused_type")  # fmt: skip
ECHO = {"message": "x"}
TYPES = {"diagnostic.echo": ECHO, "diagnostic.sleep": {"seconds": 0}}
# What moves tasks; the rest forgets and looks after model servers.
QUICK_DUTIES = [duty.run for _, duty in sorted(all_duties().items()) if duty.every_seconds <= 5]
PEOPLE = 2
HOWS = (
    "succeeded",
    "failed",
    "gave up",
    "returned",
    "returned alone",
    "died",
    "timed out",
    "put off",
    "started others",
)

# An action is prepared (what it picks is decided) and then run, perhaps in another thread.
Action = Callable[[], object]


class World:
    """Two users with few slots, a node a cluster, and what is known about what was promised."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("".join(f"DELETE FROM {table};" for table in WIPED))
        Cluster.objects.get_or_create(name="gpu")
        Cluster.objects.update(vclock=0, warp=5, low_rank=-1e300)
        for name, cluster in QUEUES.items():
            Queue.objects.filter(pk=name).update(paused_at=None, cluster=cluster)
        routing.forget_cache()
        self.users = [_user(f"u{number}@example.com", slots=2 + number) for number in range(PEOPLE)]
        self.nodes = {cluster: self._new_node(cluster) for cluster in set(QUEUES.values())}
        self.accepted: dict[UUID, int] = {}
        self.batches: list[UUID] = []
        self.with_workers: list[Claimed] = []
        self.ended: list[Claimed] = []
        # Something may have come into a lane that was not told of it; the upkeep of every half minute finds it.
        self.may_be_passed_over = False
        self.begin_step()

    def begin_step(self) -> None:
        """Forget what a person revived and the most slots that each plan had: both are for one step."""
        self.revived: set[UUID] = set()
        self.most_slots = {user.pk: user.plan.slots for user in self.users}

    # --- What people do ---------------------------------------------------------------------------

    def submit(self, who: int, pick: int, number: int) -> Action:
        """A task of either type, alone or behind up to two others; every seventh for later, every fifth elsewhere."""
        wanted = self._some_of(who, pick, number % 4)
        submission = Submission(
            *sorted(TYPES.items())[number % 3 == 1], priority=1 + number % 10, needs=wanted[1:], after=wanted[:1],
            run_after=datetime.now(UTC) + timedelta(hours=1) if number % 7 == 0 else None,
            queue="text" if number % 5 == 0 else None,
        )  # fmt: skip

        def run() -> None:
            try:
                task = submit_task(self.users[who], submission).task
            except errors.InvalidInput as refused:
                if refused.errors[0]["code"] != "dependency_failed":
                    raise
            else:
                self.accepted[task.pk] = who

        return run

    def submit_many(self, who: int, pick: int, number: int) -> Action:
        def run() -> None:
            batch = submit_batch(self.users[who], [Submission("diagnostic.echo", ECHO)] * (1 + number % 4)).batch
            self.accepted |= {UUID(item["id"]): who for item in batch.items}
            self.batches.append(batch.pk)

        return run

    def cancel(self, who: int, pick: int, number: int) -> Action:
        task = self._any(pick)
        return lambda: task and cancel_task(task, by=self.users[who])

    def cancel_many(self, who: int, pick: int, number: int) -> Action:
        batch = self.batches[pick % len(self.batches)] if self.batches else None
        return lambda: batch and cancel_batch(batch, by=self.users[who])

    def ask_to_cancel_and_crash(self, who: int, pick: int, number: int) -> Action:
        """The first transaction of a cancellation, without the second."""
        asked = Task.objects.unfinished().filter(pk=self._any(pick), cancel_requested_at=None)
        return lambda: asked.update(cancel_requested_at=Now(), version=F("version") + 1)

    def retry(self, who: int, pick: int, number: int) -> Action:
        task = self._any(pick)

        def run() -> None:
            if task is None:
                return
            self.revived.add(task)
            try:
                retry_task(task, by=self.users[who])
            except errors.WrongStatus as refused:
                if "succeeded" not in refused.message:
                    raise

        return run

    def change_plan(self, who: int, pick: int, number: int) -> Action:
        user, slots = self.users[who], number % 5

        def run() -> None:
            self.most_slots[user.pk] = max(self.most_slots[user.pk], slots)
            user.plan.slots = slots
            user.plan.save(update_fields=["slots"])
            apply_limits(user)

        return run

    def pause(self, who: int, pick: int, number: int) -> Action:
        name = sorted(QUEUES)[number % len(QUEUES)]
        return lambda: pause_queue(name, by=self.users[who])

    def resume(self, who: int, pick: int, number: int) -> Action:
        name = sorted(QUEUES)[number % len(QUEUES)]
        # Beside a fill that still saw it paused.
        self.may_be_passed_over = True
        return lambda: resume_queue(name, by=self.users[who])

    def pause_type(self, who: int, pick: int, number: int) -> Action:
        name = sorted(TYPES)[number % len(TYPES)]
        return lambda: pause_type(name, by=self.users[who])

    def resume_type(self, who: int, pick: int, number: int) -> Action:
        name = sorted(TYPES)[number % len(TYPES)]
        self.may_be_passed_over = True
        return lambda: resume_type(name, by=self.users[who])

    def move(self, who: int, pick: int, number: int) -> Action:
        task, queue = self._any(pick), sorted(QUEUES)[number % len(QUEUES)]
        return lambda: task and self._unless_started(lambda: move_task(task, queue, by=self.users[who]))

    def change_priority(self, who: int, pick: int, number: int) -> Action:
        task = self._any(pick)
        return lambda: task and self._unless_started(lambda: set_priority(task, 1 + number % 10, by=self.users[who]))

    @staticmethod
    def _unless_started(change: Callable[[], object]) -> None:
        try:
            change()
        except errors.WrongStatus as refused:
            if "not started" not in refused.message and "being cancelled" not in refused.message:
                raise

    # --- What workers and nodes do ----------------------------------------------------------------

    def claim(self, who: int, pick: int, number: int) -> Action:
        cluster = sorted(self.nodes)[pick % len(self.nodes)]
        node = self.nodes[cluster]

        def run() -> None:
            tokens = [uuid4() for _ in range(1 + number % 6)]
            claimed = claim_tasks(cluster=cluster, node=node, pid=1, tokens=tokens)
            assert len(claimed) <= 1 or not any(one.alone for one in claimed)
            assert [one.token for one in claimed] == tokens[: len(claimed)]
            self.with_workers += claimed

        return run

    def give_back(self, who: int, pick: int, number: int) -> Action:
        """Members of a claim that have not started."""
        node = sorted(self.nodes.values())[pick % len(self.nodes)]
        mine = self.with_workers[number % 3 :]
        return lambda: self._give_back(node, mine)

    def _give_back(self, node: UUID, members: list[Claimed]) -> None:
        before = set(Task.objects.filter(node=node, status="running").values_list("token", flat=True))
        recover.give_back(node, {one.token for one in members})
        for one in members:
            if one.token in before and one in self.with_workers:
                self.with_workers.remove(one)
                self.ended.append(one)

    def finish(self, who: int, pick: int, number: int) -> Action:
        """Any ending; every third time the second transaction is lost."""
        if not self.with_workers:
            return self.submit(who, pick, number)
        claimed = self.with_workers.pop(pick % len(self.with_workers))
        return lambda: self._finish(claimed, HOWS[number % len(HOWS)], crash=number % 3 == 0)

    def _finish(self, claimed: Claimed, how: str, *, crash: bool = False) -> None:
        ending = self._ending(claimed, how)
        record = finish.record_ending if crash else finish.finish_attempt
        self.may_be_passed_over |= crash and how == "started others"
        # A task that was cancelled meanwhile starts nothing any more.
        if record(claimed, ending) and Attempt.objects.filter(token=claimed.token, outcome="started_others").exists():
            self.accepted |= {child.id: self.accepted[claimed.id] for child, _ in ending.started}
        self.ended.append(claimed)

    @staticmethod
    def _ending(claimed: Claimed, how: str) -> Ending:
        if how == "started others":
            wanted = [ChildTask("diagnostic.echo", ECHO, key=key) for key in "ab"]
            return ending.started_others(children.accept_children(claimed, wanted))
        endings: dict[str, Callable[[], Ending]] = {
            "succeeded": lambda: ending.succeeded({"engine": {}}),
            "failed": lambda: ending.failed(claimed, errors.HandlerError("x")),
            "gave up": lambda: ending.failed(claimed, errors.GiveUp("x")),
            "returned": ending.returned,
            "returned alone": lambda: ending.returned(alone=True),
            "died": lambda: ending.vanished(claimed, Outcome.DIED),
            "timed out": lambda: ending.timed_out(claimed),
            "put off": lambda: ending.put_off(claimed, errors.Snooze(seconds=9), outcome=Outcome.SNOOZED, seconds=9),
        }
        return endings[how]()

    def finish_with_an_old_token(self, who: int, pick: int, number: int) -> Action:
        if not self.ended:
            return self.submit(who, pick, number)
        claimed = self.ended[pick % len(self.ended)]

        def run() -> None:
            assert not finish.finish_attempt(claimed, ending.succeeded({"engine": {}}))

        return run

    def say(self, who: int, pick: int, number: int) -> Action:
        """A worker tells its progress; with an old token nobody hears it."""
        speakers = self.with_workers if number % 2 else self.ended
        claimed = speakers[pick % len(speakers)] if speakers else None

        def run() -> None:
            if claimed is None:
                return
            entries = Jsonb([{"kind": "log", "data": {"text": "x"}}])
            said = {"task": claimed.id, "token": claimed.token, "fraction": 0.5, "stage": "s", "entries": entries}
            heard = sql.count("lifecycle/say", said) > 0
            assert not (heard and claimed in self.ended and claimed not in self.with_workers)

        return run

    def lose_the_node(self, who: int, pick: int, number: int) -> Action:
        cluster = sorted(self.nodes)[pick % len(self.nodes)]
        node = self.nodes[cluster]

        def run() -> None:
            recover.declare_lost(node, beat=0)
            if self.nodes[cluster] == node:
                self.nodes[cluster] = self._new_node(cluster)

        return run

    def recover_lost_nodes(self, who: int, pick: int, number: int) -> Action:
        return lambda: recover.recover_gone_nodes()

    # --- What time and upkeep do ------------------------------------------------------------------

    def upkeep(self, who: int, pick: int, number: int) -> Action:
        return QUICK_DUTIES[number % len(QUICK_DUTIES)]

    def fill(self, who: int, pick: int, number: int) -> Action:
        return lambda: fill_lanes(Lane.objects.filter(user=self.users[who]).values_list("pk", flat=True))

    def let_time_pass(self, who: int, pick: int, number: int) -> Action:
        return lambda: Task.objects.filter(status="scheduled").update(run_after=Now())

    def be_late(self, who: int, pick: int, number: int) -> Action:
        unstarted = Task.objects.filter(pk=self._any(pick), status__in=["waiting", "scheduled", "held", "ready"])
        return lambda: unstarted.update(start_before=Now() - timedelta(seconds=1))

    def turn_short(self, who: int, pick: int, number: int) -> Action:
        """From now on all are thought to be short, so that they are claimed together."""
        return lambda: Task.objects.filter(status__in=["waiting", "scheduled", "held", "ready"]).update(
            est_seconds=0.0005
        )

    def let_everything_end(self) -> None:
        """With open queues, slots and nodes, whatever happened before."""
        for number in range(max(len(QUEUES), len(TYPES), PEOPLE)):
            self.resume(0, 0, number)()
            self.resume_type(0, 0, number)()
            self.change_plan(number % PEOPLE, 0, 4)()
            self.lose_the_node(0, number, 0)()
        for _ in range(100):
            recover.recover_gone_nodes()
            self.let_time_pass(0, 0, 0)()
            for duty in QUICK_DUTIES:
                duty()
            if not self.with_workers and not Task.objects.unfinished().exists():
                return
            self._run_all_that_is_ready()
        raise AssertionError(f"these never ended: {list(Task.objects.unfinished().values_list('pk', 'status'))}")

    def _run_all_that_is_ready(self) -> None:
        while True:
            for number in range(len(self.nodes)):
                self.claim(0, number, 5)()
            if not self.with_workers:
                return
            while self.with_workers:
                self._finish(self.with_workers.pop(), "succeeded")

    # --- Picks --------------------------------------------------------------------------------------

    def _any(self, pick: int) -> UUID | None:
        return sorted(self.accepted)[pick % len(self.accepted)] if self.accepted else None

    def _some_of(self, who: int, pick: int, count: int) -> list[UUID]:
        own = sorted(task for task, owner in self.accepted.items() if owner == who)
        return own[pick % len(own) :][:count] if own else []

    @staticmethod
    def _new_node(cluster: str) -> UUID:
        row = {"name": "n", "cluster_id": cluster, "host": "h", "pid": 1, "version": "0", "workers": 4}
        return Node.objects.create(id=new_id(), **row).pk


def _user(email: str, *, slots: int) -> User:
    limits = {field.name: getattr(Plan.objects.get(name="Pro"), field.name) for field in Plan._meta.fields}
    del limits["id"], limits["name"], limits["is_default"]
    unlimited = dict.fromkeys(("per_minute", "per_day", "high_per_day", "urgent_per_day"))
    plan, _ = Plan.objects.update_or_create(
        name=email, defaults=limits | unlimited | {"slots": slots, "max_priority": 10, "is_default": False}
    )
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, None, plan=plan)
    user.plan = plan
    return user
