"""Makes this checkout's environment and works in it: `python3 portal/launch/bootstrap.py run | stop | test | …`.

Standard library only, and written so that an old Python understands enough of it to say what is missing.
"""

import os
import shlex
import sys
from typing import List

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLDEST = (3, 11)

RUN = ["base", "llm", "speech", "ocr", "embedded", "models"]
# Tests run what `make run` can do without, too.
DEVELOP = ["uv", *RUN, "granian", "telemetry", "migrate", "dev"]
# Target -> requirement sets it needs, and what is then run with the environment's Python.
TARGETS = {
    "run": (RUN, ["-m", "portal.launch.run.up"]),
    "test": (DEVELOP, ["-m", "portal.launch.with_database", "test", "--", "{python}", "-m", "pytest"]),
    "check": (DEVELOP, ["-m", "portal.launch.with_database", "test", "--", "{python}", "-m", "portal.launch.quality"]),
    "bench": (DEVELOP, ["-m", "portal.launch.with_database", "bench", "--", "{python}", "tests/bench/run.py"]),
    "quality": (DEVELOP, ["-m", "portal.launch.with_database", "test", "--", "{python}", "tests/quality/run.py"]),
    "load": (DEVELOP, ["-m", "portal.launch.with_database", "bench", "--", "{python}", "tests/load/run.py"]),
    "chaos": (DEVELOP, ["-m", "portal.launch.with_database", "test", "--", "{python}", "tests/chaos/run.py"]),
    "model": ([], ["tests/model/run.py"]),
    "languages": (DEVELOP, ["-m", "portal.launch.languages"]),
    "requirements": (DEVELOP, ["-m", "portal.launch.pin"]),
}


def main(arguments: List[str]) -> int:
    if sys.version_info < OLDEST:
        return fail(
            "Portal needs Python 3.11 or newer, and {} is {}.{}: install a newer one and say which, "
            "as in `make PYTHON=python3.12 {}`.".format(
                sys.executable, sys.version_info[0], sys.version_info[1], arguments[0] if arguments else "run"
            )
        )
    target, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if target not in set(TARGETS) | {"stop", "clean"}:
        return fail("Say what to do: {}, stop or clean.".format(", ".join(TARGETS)))
    # Run as a script, the first place for imports is portal/ itself, where every module would pass for a top one.
    sys.path[0] = PROJECT
    os.chdir(PROJECT)
    from portal.launch import chromium, install, pgbouncer, spin

    try:
        if target == "stop":
            return stop()
        if target == "clean":
            return clean()
        sets, command = TARGETS[target]
        if target == "bench" and os.environ.get("PEERS"):
            sets = [*sets, "peers"]
        python = install.ensure(sets)
        chosen = os.environ.get("ARGS", "") + " ".join(rest)
        if target == "test" and "not browser" not in chosen:
            # For the tests: Playwright's own build is on no PATH.
            os.environ["CHROMIUM"] = chromium.ensure(python)
        if target == "test" and not chosen:
            # What is named may do without; its tests behind a pooler get it themselves.
            pgbouncer.ensure()
        if target == "model":
            spin.ensure()
    except (install.InstallError, chromium.ChromiumError, pgbouncer.PgbouncerError, spin.SpinError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again to go on where it was.", file=sys.stderr)
        return 130
    words = [python if word == "{python}" else word for word in command]
    return hand_over(python, words + shlex.split(os.environ.get("ARGS", "")) + rest)


def fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def hand_over(python: str, words: List[str]) -> int:
    """Become the command: the process id and the terminal stay, so signals go where they should."""
    os.environ.pop("PYTHONHOME", None)
    os.environ.pop("PYTHONPATH", None)
    # Each of the many processes that are started would compile every source anew: a third of a second.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.stdout.flush()
    return os.execv(python, [python, *words])  # noqa: S606


def stop() -> int:
    from portal.launch import install

    python = install.environment_python()
    if python is None:
        print("Nothing is running here.")
        return 0
    return hand_over(python, ["-m", "portal.launch.run.stop"])


def clean() -> int:
    import shutil
    import subprocess
    from pathlib import Path

    from portal.launch import install
    from portal.launch.embedded.folders import far_home

    project = Path(PROJECT)
    condemned = [project / ".venv", project / ".portal", far_home(project)]
    if os.environ.get("CONFIRM") != "1":
        return fail("This deletes {}, with all tasks and files: say CONFIRM=1.".format(", ".join(map(str, condemned))))
    python = install.environment_python()
    if python is not None and subprocess.run([python, "-m", "portal.launch.run.stop"], check=False).returncode != 0:
        return 1
    for folder in condemned:
        shutil.rmtree(str(folder), ignore_errors=True)
    print("Clean.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
