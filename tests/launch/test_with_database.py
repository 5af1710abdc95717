"""`python -m portal.launch.with_database test -- COMMAND`, which `make test` is made of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

RUN = [sys.executable, "-m", "portal.launch.with_database", "test", "--", sys.executable, "-c"]


def without_database() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}


def test_exit_code_of_the_command_is_passed_on() -> None:
    assert subprocess.run([*RUN, "raise SystemExit(7)"], check=False, env=without_database()).returncode == 7


def test_command_gets_a_database_and_the_settings_of_tests() -> None:
    code = """
import os
import psycopg
from portal import env
where = env.database()
with psycopg.connect(host=where["HOST"], user=where["USER"], dbname=where["NAME"]) as connection:
    print(connection.execute("SELECT current_database()").fetchone()[0].startswith("portal_"))
print(os.environ["PORTAL_DEMO"], os.environ["PORTAL_DIAGNOSTICS"], len(os.environ["SECRET_KEY"]) > 40)
"""
    answer = subprocess.run([*RUN, code], check=True, env=without_database(), capture_output=True, text=True)
    assert answer.stdout.split() == ["True", "1", "1", "True"]


def test_stop_is_passed_on_and_waited_for() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, lambda *a: exit(3)); print('up', flush=True); signal.pause()"
    with subprocess.Popen([*RUN, code], env=without_database(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 3
