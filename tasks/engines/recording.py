"""A recording decoded to plain samples on disk, read back a stretch at a time, so that its length costs no memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.engines import contained
from tasks.engines.contained import Check

RATE = 16_000
STRETCH_SECONDS = 240
# A stretch ends at the quietest moment of so many last seconds, and not within a word.
CUT_WITHIN_SECONDS = 20
QUIET_SECONDS = 0.3
DECODE_SECONDS = 300.0

# numpy is loaded with the first recording, and not by every worker that starts.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
else:
    Samples = Any


@dataclass(frozen=True)
class Recording:
    """What a sound file holds. `faults` counts packets that could not be decoded; `channels` are those of the file."""

    samples: Path
    seconds: float
    format: str
    codec: str
    sample_rate: int
    channels: int
    faults: int

    def stretches(self) -> Iterator[tuple[float, Samples]]:
        """Yield the samples (mono, 16,000 a second, from -1 to 1) in stretches, each with the second it begins at."""
        import numpy as np

        stored = np.memmap(self.samples, dtype="<i2", mode="r")
        start = 0
        while start < len(stored):
            end = min(start + STRETCH_SECONDS * RATE, len(stored))
            if end < len(stored):
                end = _quietest(stored, end - CUT_WITHIN_SECONDS * RATE, end)
            yield start / RATE, np.asarray(stored[start:end], dtype=np.float32) / 32768.0
            start = end


@contextmanager
def open_recording(path: Path, *, most_seconds: float, check: Check) -> Iterator[Recording]:
    """Decode a file for as long as the block lasts.

    Raises:
        UnreadableFile: broken, cut off, or without sound.
        InputTooLarge: longer than `most_seconds`.
    """
    with tempfile.TemporaryDirectory(prefix="portal-sound-") as folder:
        samples = Path(folder) / "samples"
        said: dict[str, Any] = contained.call(
            "audio_contained:decode",
            path=str(path),
            into=str(samples),
            most_seconds=most_seconds,
            check=check,
            seconds=DECODE_SECONDS,
        )
        yield Recording(samples=samples, **said)


def _quietest(stored: NDArray[np.int16], low: int, high: int) -> int:
    import numpy as np

    width = int(QUIET_SECONDS * RATE)
    loudness = np.square(np.asarray(stored[low:high], dtype=np.float64))
    sums = np.concatenate([[0.0], np.cumsum(loudness)])
    windows = sums[width:] - sums[:-width]
    return low + int(np.argmin(windows)) + width // 2
