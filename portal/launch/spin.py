"""Finds what checks the lifecycle's model, the checker spin and a C compiler, or gets them: Debian's packages.

Standard library only.
"""

from __future__ import annotations

import shutil

from portal.launch import debian

# Program -> the packages that have it.
NEEDED = {"spin": ["spin"], "cc": ["gcc", "libc6-dev"]}


class SpinError(Exception):
    """Something is missing and cannot be installed; the message is one sentence with the mend."""


def ensure() -> None:
    """Install what is missing.

    Raises:
        SpinError: it is still missing.
    """
    if missing := _missing():
        debian.install(missing, wanted_for="the model")
    if missing := _missing():
        raise SpinError(
            f"The model's check needs {' and '.join(NEEDED)}: install the packages {', '.join(missing)} "
            f"(as root: apt-get install {' '.join(missing)})."
        )


def _missing() -> list[str]:
    return [package for program, packages in NEEDED.items() if not shutil.which(program) for package in packages]
