"""The spoken samples and what they say. Run it where `flite` and `espeak-ng` are installed to make them anew.

Spoken by the voices slt, rms and awb of CMU Flite 2.2 (Debian's packages flite and libflite1): free software, whose
licence puts no condition on the sound it makes. Stored as Opus, mono, 24 kbit/s.
FOREIGN is spoken by eSpeak NG 1.51, 130 words a minute (Debian's package espeak-ng; its licence is for the program).
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import cast

import av
from av.audio.resampler import AudioResampler

HERE = Path(__file__).parent
RATE, BITS_PER_SECOND = 48_000, 24_000

# File, voice, words.
SPOKEN = {
    "notice.ogg": (
        "slt",
        "The ferry office opens at eight in the morning. Every boat must show its papers to the captain of the port "
        "before noon. The ferry to the island leaves from pier seven and takes half an hour. Please keep your receipt "
        "until you leave the port.",
    ),
    "spoken/meeting.ogg": (
        "rms",
        "Good afternoon. The meeting about the new bridge has been moved to Thursday. We will need the budget, the "
        "drawings and the report from the engineers. Please send them before Wednesday evening.",
    ),
    "spoken/weather.ogg": (
        "awb",
        "Snow is expected in the mountains tonight. The road over the northern pass will be closed until Sunday. "
        "Trains to the valley will run every two hours.",
    ),
    "spoken/bees.ogg": (
        "rms",
        "My grandfather kept bees behind the old school house. He sold the honey at the market on Saturdays and gave "
        "the wax to the church.",
    ),
}

# File, voice, words. The second one is too mechanical for a model to tell its language.
FOREIGN = {
    "spoken/beach_es.ogg": (
        "es",
        "Buenos días. Esta mañana los niños fueron a la playa con su abuela, y por la tarde comieron pan con queso.",
    ),
    "spoken/boat_pt.ogg": (
        "pt-br",
        "Bom dia. O barco para a ilha sai amanhã de manhã. Por favor, não esqueça a sua mala.",
    ),
}


def convert(source: Path, target: Path, codec: str, *, rate: int = RATE, seconds: float | None = None) -> Path:
    """Write the sound of a file in another format, or its first seconds."""
    with av.open(str(source)) as container, av.open(str(target), "w") as made:
        stream = cast("av.AudioStream", made.add_stream(codec, rate=rate, layout="mono"))
        stream.bit_rate = BITS_PER_SECOND
        resampler = AudioResampler(format=stream.format.name, layout="mono", rate=rate, frame_size=1024)
        for frame in container.decode(audio=0):
            if seconds is not None and frame.time is not None and frame.time >= seconds:
                break
            for piece in resampler.resample(frame):
                made.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            made.mux(stream.encode(piece))
        made.mux(stream.encode(None))
    return target


def make_sample(name: str, words: str, program: list[str], into: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        subprocess.run([*program, words, into, str(spoken)], check=True)
        convert(spoken, HERE / name, "libopus")


if __name__ == "__main__":
    for name, (voice, words) in SPOKEN.items():
        make_sample(name, words, ["flite", "-voice", voice, "-t"], "-o")
    for name, (voice, words) in FOREIGN.items():
        make_sample(name, words, ["espeak-ng", "-v", voice, "-s", "130"], "-w")
