"""`manage.py migrate_executor`: the shapes in which programs use ThreadPoolExecutor, and what is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from textwrap import dedent

import pytest
from django.core.management import CommandError, call_command

from tasks.interop.migrate_executor import Migrated, migrate
from tasks.management.commands.migrate_executor import INSTALL
from tests.cluster.conftest import PROJECT

SHAPES = {
    "names": (
        """
        from concurrent.futures import ThreadPoolExecutor, as_completed

        with ThreadPoolExecutor(max_workers=4) as pool:  # all at once
            futures = [pool.submit(work, item) for item in items]
            for future in as_completed(futures):
                print(future.result())
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor, as_completed

        with TaskPoolExecutor() as pool:  # all at once
            futures = [pool.submit(work, item) for item in items]
            for future in as_completed(futures):
                print(future.result())
        """,
    ),
    "others stay": (
        """
        import os
        from concurrent.futures import (
            Future,
            ThreadPoolExecutor,
            ProcessPoolExecutor,
        )

        pool: ThreadPoolExecutor = ThreadPoolExecutor(os.cpu_count(), "names")
        """,
        """
        import os
        from concurrent.futures import (
            Future,
            ProcessPoolExecutor)
        from tasks.interop.futures import TaskPoolExecutor

        pool: TaskPoolExecutor = TaskPoolExecutor()
        """,
    ),
    "alias": (
        """
        from concurrent.futures import ThreadPoolExecutor as Pool

        pool = Pool(8)
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor as Pool

        pool = Pool()
        """,
    ),
    "module": (
        """
        import concurrent.futures

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for future in concurrent.futures.as_completed(submit_all(pool)):
                future.result()
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor, as_completed

        with TaskPoolExecutor() as pool:
            for future in as_completed(submit_all(pool)):
                future.result()
        """,
    ),
    "module that is still used": (
        """
        import concurrent.futures

        pool = concurrent.futures.ThreadPoolExecutor()
        done = concurrent.futures.wait(futures)
        """,
        """
        import concurrent.futures
        from tasks.interop.futures import TaskPoolExecutor

        pool = TaskPoolExecutor()
        done = concurrent.futures.wait(futures)
        """,
    ),
    "module by another name": (
        """
        import concurrent.futures as cf
        from concurrent import futures

        pool = cf.ThreadPoolExecutor(2)
        other = futures.ThreadPoolExecutor(thread_name_prefix="x")
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor

        pool = TaskPoolExecutor()
        other = TaskPoolExecutor()
        """,
    ),
    "inside a function": (
        '''
        """A module."""

        from __future__ import annotations


        def run(items):
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor() as pool:
                return list(pool.map(work, items))
        ''',
        '''
        """A module."""

        from __future__ import annotations
        from tasks.interop.futures import TaskPoolExecutor


        def run(items):
            with TaskPoolExecutor() as pool:
                return list(pool.map(work, items))
        ''',
    ),
}

SHAPES |= {
    "two names": (
        """
        from concurrent.futures import ThreadPoolExecutor
        from concurrent.futures import ThreadPoolExecutor as Pool

        one, other = ThreadPoolExecutor(2), Pool(3)
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor as Pool, TaskPoolExecutor

        one, other = TaskPoolExecutor(), Pool()
        """,
    ),
    "system B": (
        """
        from load_balancer import load_balancer as balancer
        from app.async_adapter import AsyncThreadPoolExecutor, async_as_completed
        from queue_manager import queue_manager

        with AsyncThreadPoolExecutor(max_workers=4) as pool:
            for future in async_as_completed([pool.submit(work, item) for item in items]):
                print(future.result(), balancer.should_throttle_tasks(), queue_manager.get_queue_stats())
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor, as_completed
        from tasks.interop.system_b import load_balancer as balancer, queue_manager

        with TaskPoolExecutor() as pool:
            for future in as_completed([pool.submit(work, item) for item in items]):
                print(future.result(), balancer.should_throttle_tasks(), queue_manager.get_queue_stats())
        """,
    ),
    "what system B's own migration wrote": (
        """
        try:
            from .async_adapter import AsyncThreadPoolExecutor, async_as_completed
            from .queue_manager import queue_manager
            AVAILABLE = True
        except ImportError:
            from concurrent.futures import ThreadPoolExecutor as AsyncThreadPoolExecutor
            from concurrent.futures import as_completed as async_as_completed
            AVAILABLE = False

        pool = AsyncThreadPoolExecutor(max_workers=max_workers)
        """,
        """
        from tasks.interop.futures import TaskPoolExecutor, as_completed
        from tasks.interop.system_b import queue_manager

        try:
            AVAILABLE = True
        except ImportError:
            AVAILABLE = False

        pool = TaskPoolExecutor()
        """,
    ),
}

UNTOUCHED = {
    "a name of its own": "class ThreadPoolExecutor: ...\n\npool = ThreadPoolExecutor(4)\n",
    "processes": "from concurrent.futures import ProcessPoolExecutor\n\npool = ProcessPoolExecutor(4)\n",
    "another module": "from mine import ThreadPoolExecutor, as_completed\n\nas_completed(ThreadPoolExecutor(4))\n",
    "other queue managers": "from queue_manager import QueueManager\nfrom mine.queues import queue_manager\n",
    "already done": "from tasks.interop.futures import TaskPoolExecutor, as_completed\n\npool = TaskPoolExecutor()\n",
}

REFUSED = {
    "pool = ThreadPoolExecutor(4, initializer=start)": "line 2: the pool is left as it is: initializer",
    "pool = ThreadPoolExecutor(4, 'x', start)": "initializer",
    "pool = ThreadPoolExecutor(**options)": "cannot be read",
    "class Pool(ThreadPoolExecutor): ...": "Pool is a subclass",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_is_rewritten(shape: str) -> None:
    before, after = (dedent(code).lstrip() for code in SHAPES[shape])
    migrated = migrate(before)
    assert migrated.code == after
    assert migrated.warnings == []
    assert migrate(after).code is None


@pytest.mark.parametrize("shape", UNTOUCHED)
def test_other_code_is_left_alone(shape: str) -> None:
    assert migrate(UNTOUCHED[shape]).code is None


@pytest.mark.parametrize("line", REFUSED)
def test_pool_without_an_equal_is_left_as_it_is_and_named(line: str) -> None:
    migrated = migrate(f"from concurrent.futures import ThreadPoolExecutor\n{line}\n")
    assert migrated.code is None
    [warning] = migrated.warnings
    assert REFUSED[line] in warning


def test_lambda_is_named_as_what_cannot_run() -> None:
    migrated = migrate("from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(lambda: 1)\n")
    assert migrated.code is not None
    [warning] = migrated.warnings
    assert warning.startswith("line 2: a lambda")


def run(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("migrate_executor", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_diff_shows_and_write_changes_the_files(tmp_path: Path) -> None:
    before, after = (dedent(code).lstrip().replace("\n", "\r\n") for code in SHAPES["names"])
    (tmp_path / "pkg").mkdir()
    (tmp_path / ".venv").mkdir()
    file, hidden, broken = tmp_path / "pkg" / "a.py", tmp_path / ".venv" / "b.py", tmp_path / "c.py"
    for path in (file, hidden):
        path.write_bytes(before.encode())
    broken.write_text("ThreadPoolExecutor(\n")

    shown, said = run(tmp_path, "--diff")
    assert "-from concurrent.futures import ThreadPoolExecutor, as_completed" in shown
    assert "+from tasks.interop.futures import TaskPoolExecutor, as_completed" in shown
    assert "c.py: line" in said
    assert "1 files would be changed." in said
    assert file.read_bytes().decode() == before

    _, said = run(tmp_path, "--write")
    assert "1 files changed." in said
    assert file.read_bytes().decode() == after
    assert hidden.read_bytes().decode() == before


def test_file_that_cannot_be_rewritten_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (dedent(code).lstrip() for code in SHAPES["names"])
    good, bad, odd = tmp_path / "a.py", tmp_path / "b.py", tmp_path / "c.py"
    good.write_text(before)
    good.chmod(0o750)
    bad.write_bytes(before.encode() + b"# \xff\n")
    odd.write_text(f"{before}# odd\n")

    def fail_of_odd(source: str) -> Migrated:
        if "odd" in source:
            raise TypeError("of libcst's own")
        return migrate(source)

    monkeypatch.setattr("tasks.interop.migrate_executor.migrate", fail_of_odd)
    _, said = run(tmp_path, "--write")
    assert good.read_text() == after
    assert good.stat().st_mode & 0o777 == 0o750
    assert "b.py: left out, it is not UTF-8" in said
    assert "c.py: left out, it cannot be rewritten: TypeError: of libcst's own" in said
    assert "1 files changed." in said
    assert odd.read_text() == f"{before}# odd\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py", "c.py"]


def test_command_wants_a_path_that_is_there_and_to_be_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no"):
        run(tmp_path / "nothing", "--diff")
    with pytest.raises(CommandError, match="--diff --write is required"):
        run(tmp_path)


def test_without_libcst_the_command_says_what_to_install(tmp_path: Path) -> None:
    run = "from django.core.management import call_command; call_command('migrate_executor', sys.argv[1], '--diff')"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, django; sys.modules['libcst'] = None; django.setup(); {run}", tmp_path],
        cwd=PROJECT, env=os.environ, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr.strip().splitlines()[-1].endswith(f"CommandError: {INSTALL}")
    assert (PROJECT / INSTALL.rpartition(" ")[2]).is_file()
