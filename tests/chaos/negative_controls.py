"""Shows that the suite would notice: each mechanism is taken out of a copy of the tree, and its tests must fail there.

Run it with a database (tests/chaos/README.md): ``python tests/chaos/negative_controls.py [WORD …]``; words choose the
mechanisms that they occur in.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

PROJECT = Path(__file__).resolve().parents[2]
# Of the state machine, which stops at the first fault that it finds.
EXAMPLES = 800


@dataclass(frozen=True)
class Control:
    """Take `mechanism` out: replace `before`, as many `times` as it stands in `file`, by `after`. `tests` must fail."""

    mechanism: str
    file: str
    before: str
    after: str
    tests: str
    times: int = 1


CONTROLS = [
    Control(
        "the token fences stale attempts",
        "tasks/sql/lifecycle/finish.sql",
        "AND task.token = ended.token",
        "AND ended.token IS NOT NULL",
        "tests/lifecycle/test_finish.py -k stale",
    ),
    Control(
        "the token tells that a finish was committed whose answer was lost",
        "tasks/lifecycle/finish.py",
        "if asked_before and (known",
        "if False and (known",
        "tests/lifecycle/test_lost_answers.py -k finish_that",
    ),
    Control(
        "a former primary that refuses writes is left",
        "tasks/direct.py",
        "return any(raw.pgconn",
        "return False and any(raw.pgconn",
        "tests/chaos/test_fail_over.py -k follow",
    ),
    Control(
        "ends that are kept are recorded while a neighbour runs on",
        "tasks/cluster/recorder.py",
        "                    self.start()",
        "                    pass",
        "tests/cluster/test_recorder.py -k neighbour",
    ),
    Control(
        "whoever holds one task keeps no other's end waiting",
        "tasks/sql/lifecycle/finish.sql",
        "FOR NO KEY UPDATE OF task SKIP LOCKED",
        "FOR NO KEY UPDATE OF task",
        "tests/lifecycle/test_finish_together.py -k somebody_holds",
    ),
    Control(
        "an end that cannot be stored takes no other along",
        "tasks/lifecycle/run.py",
        "        _record_one_by_one(ended)\n",
        "",
        "tests/lifecycle/test_finish_together.py -k cannot_be_stored",
    ),
    Control(
        "a lane that somebody holds keeps no other user's slots",
        "tasks/lifecycle/fill.py",
        "if wait or len(ids) == 1:",
        "if ids:",
        "tests/lifecycle/test_finish_together.py -k no_other_users_slots",
    ),
    Control(
        "a lane does not pay for the time that its end stood behind others",
        "tasks/sql/lifecycle/finish.sql",
        "- ended.kept) END",
        ") END",
        "tests/lifecycle/test_finish_together.py -k stood_behind",
    ),
    Control(
        "a lane does not pay for the time that its task stood behind others",
        "tasks/sql/lifecycle/finish.sql",
        "coalesce(ended.took,",
        "coalesce(NULL,",
        "tests/lifecycle/test_claim_several.py -k standing_behind",
    ),
    Control(
        "the lane's lock makes fill look again",
        "tasks/sql/lifecycle/lock_lanes.sql",
        "FOR NO KEY UPDATE OF lane",
        # A lock that keeps out none of these.
        "FOR KEY SHARE OF lane",
        "tests/lifecycle/test_cancel_and_retry.py -k fill_that_waited",
    ),
    Control(
        "the lane's lock: the state machine notices, too",
        "tasks/sql/lifecycle/lock_lanes.sql",
        "FOR NO KEY UPDATE OF lane",
        # A lock that keeps out none of these.
        "FOR KEY SHARE OF lane",
        "tests/chaos/test_lifecycle_machine.py",
    ),
    Control(
        "the lane of a client that falls silent comes free",
        "tasks/sql/__init__.py",
        "_thread.pipeline.sync()",
        "pass",
        "tests/lifecycle/test_second_transaction.py -k silent",
    ),
    Control(
        "a worker that freezes in the midst of a settlement holds no lane",
        "tasks/sql/__init__.py",
        "_communicate_gen = lambda: iter(())",
        "_communicate_gen = _thread.pipeline._communicate_gen",
        "tests/lifecycle/test_second_transaction.py -k one_trip",
    ),
    Control(
        "a notice stays below the 8,000 bytes that it may have",
        "tasks/sql/lifecycle/settle.sql",
        "/ 50 AS part",
        "/ 5000 AS part",
        "tests/lifecycle/test_finish_together.py -k in_several",
    ),
    Control(
        "settling pays out only what it deleted",
        "tasks/sql/lifecycle/settle.sql",
        "WHERE token = ANY(%(tokens)s)",
        "WHERE token <> ALL(%(tokens)s)",
        "tests/lifecycle/test_finish.py",
    ),
    Control(
        "the sweep settles what was interrupted",
        "tasks/lifecycle/sweep.py",
        "settle([(row.token, lane) for row, lane in rows], dependents=dependents)",
        "pass",
        "tests/lifecycle/test_lost_answers.py -k settlement_interrupted",
    ),
    Control(
        "the usage row's lock makes quotas exact",
        "tasks/lifecycle/admit.py",
        '[usage] = sql.run("lifecycle/lock_usage", {"user": user.pk}, row=Usage)',
        "from tasks.api.rate_limits import KnownUsage\n"
        '    [usage] = sql.run("lifecycle/read_usage", {"user": user.pk}, row=KnownUsage)\n'
        "    if not usage.day_count:\n"
        '        [usage] = sql.run("lifecycle/lock_usage", {"user": user.pk}, row=Usage)',
        "tests/lifecycle/test_submit.py -k hundred",
        times=2,
    ),
    Control(
        "what was checked by limits of a while ago is counted only while these hold",
        "tasks/sql/lifecycle/count_usage.sql",
        "AND coalesce(%(overrides)s::text = coalesce(",
        "AND coalesce(%(overrides)s::text IS NOT NULL OR '' = coalesce(",
        "tests/lifecycle/test_submit_at_once.py -k a_moment_ago_holds",
    ),
    Control(
        "a task that comes takes no more than the free slots",
        "tasks/sql/lifecycle/insert_task.sql",
        "AND place.free > 0",
        "AND place.free >= 0",
        "tests/lifecycle/test_submit_at_once.py -k place_that_comes",
    ),
    Control(
        "those of a batch take no more than the free slots",
        "tasks/sql/lifecycle/insert_tasks.sql",
        "first.number <= first.free AND",
        "first.number <= first.free + 1 AND",
        "tests/lifecycle/test_submit_at_once.py -k place_that_comes",
    ),
    Control(
        "a submission is durable before it is answered",
        "tasks/sql/lifecycle/harden.sql",
        "SELECT pg_logical_emit_message(true, 'portal', '')",
        "SELECT 1",
        "tests/lifecycle/test_submit_at_once.py -k on_the_disk",
    ),
    Control(
        "what broke off before it was durable is looked for",
        "tasks/lifecycle/harden.py",
        "if not Task.objects.filter(pk=task).exists():",
        "if False:",
        "tests/lifecycle/test_submit_at_once.py -k server_lost",
    ),
    Control(
        "what waited for the counters is placed by what holds now",
        "tasks/sql/lifecycle/insert_task.sql",
        "AND (%(priority)s::smallint <= 5 OR clock_timestamp() <",
        "AND (%(priority)s::smallint <= 10 OR clock_timestamp() <",
        "tests/lifecycle/test_submit_at_once.py -k waited_for_the_counters",
    ),
    Control(
        "a superseded attempt keeps nothing",
        "tasks/sql/lifecycle/keep.sql",
        "AND task.token = %(token)s",
        "AND %(token)s::uuid IS NOT NULL",
        "tests/lifecycle/test_keep.py -k superseded",
    ),
    Control(
        "what is kept behind a gap gives way",
        "tasks/sql/lifecycle/keep.sql",
        "AND kept_piece.number > %(number)s::int",
        "AND false",
        "tests/lifecycle/test_keep.py -k gap_is",
    ),
    Control(
        "whoever retries a task keeps what it has kept",
        "tasks/sql/lifecycle/forget_kept.sql",
        "FOR NO KEY UPDATE SKIP LOCKED",
        "",
        "tests/lifecycle/test_keep.py -k retried_task",
    ),
    Control(
        "fill moves no more than the free slots",
        "tasks/sql/lifecycle/fill.sql",
        "lane.slots - lane.taken) AS free",
        "lane.slots - lane.taken + 1) AS free",
        "tests/lifecycle/test_order.py -k never_exceed",
    ),
    Control(
        "what is needed is locked while a task begins to wait for it",
        "tasks/sql/lifecycle/lock_needs.sql",
        "FOR NO KEY UPDATE OF task",
        "",
        "tests/lifecycle/test_dependencies.py -k child_submitted_while",
    ),
    Control(
        "a submission that has no room takes back its marks on what it needs",
        "tasks/lifecycle/store.py",
        "transaction.set_rollback(True)",
        "pass",
        "tests/lifecycle/test_submit_at_once.py -k leaves_nothing_behind",
    ),
    Control(
        "the end of what is needed lets go what waits",
        "tasks/lifecycle/fill.py",
        "released = release_dependents([row.id for row in settled if row.has_dependents], ids)",
        "released = release_dependents([], ids)",
        "tests/chaos/test_lifecycle_machine.py",
    ),
    Control(
        "a task that was lost is claimed alone",
        "tasks/sql/lifecycle/claim.sql",
        "bool_or(alone) OVER line AS stops",
        "false AS stops",
        "tests/lifecycle/test_claim_several.py -k that_was_lost",
        times=2,
    ),
    Control(
        "a member of a claim that was taken back does not start",
        "tasks/cluster/worker.py",
        "if self.record.taken_back or not memory.may_claim:",
        "if not memory.may_claim:",
        "tests/cluster/test_observer.py -k taken_back",
    ),
    Control(
        "what waits behind a long task is given back",
        "tasks/cluster/rescue.py",
        "recover.give_back(self._node.id, self._node.memory.take_back_unstarted(record))",
        "pass",
        "tests/cluster/test_threads.py -k what_waits_behind",
    ),
    Control(
        "a claim whose answer was lost is found",
        "tasks/lifecycle/recover.py",
        "return give_back(node, {claimed.token for claimed in running} - tokens)",
        "return 0",
        "tests/lifecycle/test_lost_answers.py -k claim_that",
    ),
    Control(
        "a worker's timer has no lock to die with",
        "tasks/cluster/django_q/install.py",
        "cluster.Value = Timer",
        "",
        "tests/cluster/test_timer.py",
    ),
    Control(
        "children die with their parent",
        "tasks/cluster/orphans.py",
        "ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)",
        "pass",
        "tests/cluster/test_kills.py -k orphans",
    ),
    Control(
        "only connected time counts against a heart",
        "tasks/cluster/observer.py",
        "if now - self._looked_at > CONNECTED_GAP_SECONDS:",
        "if False:",
        "tests/cluster/test_observer.py -k outage",
    ),
    Control(
        "the stopping flag is read before every claim",
        "tasks/cluster/shared.py",
        "return not self.header.stopping_since and not self.header.superseded",
        "return True",
        "tests/cluster/test_stopping.py -k ticket_that",
    ),
    Control(
        "a signal is for one attempt",
        "tasks/cluster/shared.py",
        "if bytes(record.cancel) == bytes(record.token):",
        "if any(record.cancel):",
        "tests/cluster/test_observer.py -k late_signal",
    ),
    Control(
        "a signal raises in handler code only",
        "tasks/cluster/interrupts.py",
        "        if self._record.armed:\n            self.check()",
        "        self.check()",
        "tests/cluster/test_observer.py -k never_raises",
    ),
    Control(
        "the sweep lowers low_rank",
        "tasks/sql/lifecycle/mend_low_rank.sql",
        "AND cluster.low_rank > lowest.rank",
        "AND false",
        "tests/lifecycle/test_claim_several.py -k passed_over",
    ),
    Control(
        "the sweep never raises low_rank",
        "tasks/sql/lifecycle/mend_low_rank.sql",
        "AND cluster.low_rank > lowest.rank",
        "AND cluster.low_rank <> lowest.rank",
        "tests/lifecycle/test_claim_several.py -k just_now",
    ),
    Control(
        "tasks that move forward keep their distances",
        "tasks/sql/lifecycle/settle.sql",
        "least(-owed.charge, min(ready.vstart - cluster.vclock)) AS seconds",
        "-owed.charge AS seconds",
        "tests/lifecycle/test_estimates.py -k newcomer",
    ),
    Control(
        "low_rank keeps claims off the dead head of the line",
        "tasks/sql/lifecycle/claim.sql",
        "AND task.rank >= (SELECT low_rank FROM place)",
        "",
        "tests/chaos/test_foreign_transaction.py",
        times=2,
    ),
    Control(
        "low_key keeps fill off the dead head of its lane",
        "tasks/sql/lifecycle/fill.sql",
        "AND task.line_key >= room.low_key",
        "",
        "tests/chaos/test_foreign_transaction.py",
    ),
    Control(
        "newcomers lower where their lane is read from",
        "tasks/sql/lifecycle/fill.sql",
        "ELSE least(lane.low_key,",
        "ELSE greatest(lane.low_key,",
        "tests/lifecycle/test_low_key.py -k whichever_way",
    ),
    Control(
        "a lane is read from its beginning where nobody knows what came in",
        "tasks/sql/lifecycle/fill.sql",
        "IS NULL THEN -1e300",
        "IS NULL THEN lane.low_key",
        "tests/lifecycle/test_low_key.py -k whichever_way",
    ),
    Control(
        "plans are made without statistics of statuses",
        "tasks/migrations/0002_tuning.py",
        "ALTER TABLE task ALTER COLUMN status SET STATISTICS 0;",
        "",
        "tests/chaos/test_foreign_transaction.py",
    ),
    Control(
        "lines are read in order, whatever the statistics say",
        "portal/database/connecting.py",
        '"enable_sort=off",',
        "",
        "tests/lifecycle/test_plans.py -k hot_statements",
    ),
    Control(
        "lanes are filled in order, also on connections of the web",
        "tasks/sql/lifecycle/lock_lanes.sql",
        "set_config('enable_sort', 'off', true),",
        "",
        "tests/lifecycle/test_plans.py -k hot_statements",
    ),
    Control(
        "debts do not outlive idleness",
        "tasks/sql/lifecycle/reset_clocks.sql",
        "HAVING sum(taken) = 0",
        "HAVING false",
        "tests/lifecycle/test_fairness.py -k debts",
    ),
    Control(
        "idleness saves up no credit",
        "tasks/sql/lifecycle/fill.sql",
        "greatest(lane.vfinish, cluster.vclock) AS vbase",
        "lane.vfinish AS vbase",
        "tests/lifecycle/test_fairness.py -k credit",
    ),
    Control(
        "priority borrows seconds, not all",
        "tasks/sql/lifecycle/refresh_warp.sql",
        "5.0 * greatest",
        "5000.0 * greatest",
        "tests/lifecycle/test_fairness.py -k flood",
    ),
    Control(
        "an urgent newcomer takes the slot of an own lesser task",
        "tasks/sql/lifecycle/swap.sql",
        "AND task.priority < newcomer.priority",
        "AND false",
        "tests/lifecycle/test_order.py -k urgent_newcomer",
    ),
    Control(
        "a paused queue gives its slots back",
        "tasks/sql/lifecycle/hold.sql",
        "AND queue.paused_at IS NOT NULL",
        "AND false",
        "tests/lifecycle/test_fairness.py -k paused_queue",
    ),
    Control(
        "nobody claims what is of a paused type",
        "tasks/sql/lifecycle/claim.sql",
        "AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))",
        "",
        "tests/lifecycle/test_pause_type.py -k fill_that_began_before",
    ),
    Control(
        "what may not start is stepped over once",
        "tasks/sql/lifecycle/fill.sql",
        "sum(moved) < max(free)",
        "false",
        "tests/lifecycle/test_pause_type.py -k few_pages",
    ),
]


def main(words: list[str]) -> int:
    chosen = [control for control in CONTROLS if not words or any(word in control.mechanism for word in words)]
    if seconds := os.environ.pop("CHAOS_SECONDS", ""):
        return _try_some(chosen, float(seconds))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        if not _all_pass(chosen, Path(folder) / "unchanged"):
            return 1
        folders = [Path(folder) / str(number) for number in range(len(chosen))]
        passed = list(pool.map(_shows, chosen, folders))
    print(f"{passed.count(True)} of {len(passed)} controls turn the suite red.")
    return 0 if all(passed) else 1


def _try_some(controls: list[Control], seconds: float) -> int:
    """Try controls by chance until the time is over, at least one; each is first run with its mechanism in place."""
    ends_at = time.monotonic() + seconds
    random.Random(os.environ.get("CHAOS_SEED")).shuffle(controls)
    passed: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, control in enumerate(controls):
            if passed and time.monotonic() > ends_at:
                break
            copy = Path(folder) / str(number)
            is_sound = _all_pass([control], copy / "unchanged")
            passed.append(is_sound and _shows(control, copy / "changed"))
    print(f"{passed.count(True)} of {len(passed)} controls turn the suite red; there was no time for the other "
          f"{len(controls) - len(passed)}.")  # fmt: skip
    return 0 if all(passed) else 1


def _all_pass(controls: list[Control], copy: Path) -> bool:
    """Run the same tests with every mechanism in place: what fails anyhow shows nothing."""
    _copy_tree(copy)
    parts = [control.tests.partition(" -k ") for control in controls]
    whole = sorted({path for path, _, words in parts if not words})
    some = sorted({path for path, _, words in parts if words})
    words = " or ".join(sorted({words for _, _, words in parts if words}))
    for paths in ([*some, "-k", words] if some else [], whole):
        if paths:
            answer = _pytest(copy, paths)
            if answer.returncode != 0:
                print("BROKEN  these fail with every mechanism in place:", answer.stdout[-3000:], flush=True)
                return False
    print("green   all of them, with every mechanism in place", flush=True)
    return True


def _shows(control: Control, copy: Path) -> bool:
    _copy_tree(copy)
    file = copy / control.file
    text = file.read_text()
    if text.count(control.before) != control.times:
        print(f"BROKEN  {control.mechanism}: {control.file} no longer says {control.before!r}", flush=True)
        return False
    file.write_text(text.replace(control.before, control.after))
    path, _, chosen = control.tests.partition(" -k ")
    # The state machine finds a race by chance: it is given time, and stops at the first that it finds.
    answer = _pytest(copy, [path, *(["-k", chosen] if chosen else [])], CHAOS_EXAMPLES=str(EXAMPLES))
    # 1 is "tests failed"; anything else (nothing collected, a crash) shows nothing. Nor does a test that never ran.
    red = answer.returncode == 1 and " error" not in answer.stdout.splitlines()[-1]
    print(f"{'red' if red else 'GREEN':8}{control.mechanism}", flush=True)
    if not red:
        print(answer.stdout[-2000:], answer.stderr[-1000:], flush=True)
    return red


def _pytest(copy: Path, words: list[str], **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", *words]
    try:
        return subprocess.run(
            command, cwd=copy, env=_environment(copy) | extra, capture_output=True, text=True, check=False, timeout=900
        )
    finally:
        _end_what_is_left(copy)


def _environment(copy: Path) -> dict[str, str]:
    """Give each run a database of its own: several go on at once."""
    url = urlsplit(os.environ["DATABASE_URL"])
    mine = url._replace(path=f"{url.path}_control_{copy.name}")
    return os.environ | {"DATABASE_URL": mine.geturl(), "CHAOS_SHRINK": "0"}


def _copy_tree(copy: Path) -> None:
    for part in ("accounts", "portal", "tasks", "templates", "tests"):
        shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, copy / name)


def _end_what_is_left(copy: Path) -> None:
    """Without their mechanism, processes may outlive the test that started them; all of them work in the copy."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()) == copy:
                process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
