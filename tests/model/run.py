"""`make model`: checks the lifecycle's model as a whole, and that it notices what is taken out of it.

FAULTS=2 is how many things go wrong in one run; ONLY=chain,token chooses by words; STORIES=1 tells how each
counterexample comes about. Nothing but the standard library, spin and a C compiler.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from tests.model.moves import MOVES, header  # noqa: E402

MODEL = Path(__file__).with_name("lifecycle.pml")
SHAPES = ("JOIN", "CHAIN", "STARTER")
# Of the checker; most runs stay below a fifth of it.
MEMORY_MEGABYTES = 4000
DEPTH = 100_000
COMPILER = ("-w", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MEGABYTES}", "-DVECTORSZ=1024")
WHO = ("", "a worker", "the other worker", "upkeep", "the client", "a person")


@dataclass(frozen=True)
class Variant:
    """A shape of the model, with the mechanism taken out that `broken` names, if any, and what checks it.

    `progress`: looks for cycles, too: there are to be none, fair or unfair. `calm`: nothing breaks; handlers fail, and
    people act.
    """

    shape: str
    broken: str = ""
    faults: int = 1
    progress: bool = False
    calm: bool = False

    @property
    def name(self) -> str:
        what = self.broken.replace("_", " ").lower() if self.broken else f"sound, {self.faults} faults"
        how = (", nothing breaks" if self.calm else "") + (", progress" if self.progress else "")
        return f"{self.shape.lower()}: {what}{how}"


BROKEN = (
    Variant("JOIN", "NO_TOKEN"),
    Variant("JOIN", "NO_LANE_LOCK"),
    Variant("JOIN", "LOOKED_BEFORE_THE_LOCK"),
    Variant("CHAIN", "OWN_LANE_FIRST"),
    Variant("JOIN", "COUNTED_DOWN", faults=2),
    Variant("JOIN", "SETTLED_TWICE"),
    Variant("JOIN", "NO_SWEEP"),
    Variant("JOIN", "FINISH_ASYNCHRONOUS"),
    Variant("JOIN", "NO_HARDEN"),
    Variant("JOIN", "NEEDS_NOT_LOCKED"),
    Variant("JOIN", "FAILURES_FREE_OF_CHARGE", progress=True),
)


@dataclass
class Verdict:
    """What spin found: `fault` is empty where nothing is wrong, `story` tells how it came to it."""

    variant: Variant
    states: int
    seconds: float
    megabytes: float
    fault: str
    story: list[str] = field(default_factory=list)
    moved: frozenset[str] = frozenset()

    @property
    def is_as_expected(self) -> bool:
        return bool(self.fault) == bool(self.variant.broken)


def sound(faults: int) -> Iterator[Variant]:
    """Return the variants in which nothing is taken out."""
    for shape in SHAPES:
        yield Variant(shape, faults=faults)
        yield Variant(shape, faults=faults, progress=True)
    yield Variant("JOIN", faults=faults + 1, calm=True)


def check(variant: Variant) -> Verdict:
    """Check a variant exhaustively, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "moves.h").write_text(header())
        for part in MODEL.parent.glob("*.pml"):
            shutil.copy(part, folder)
        defines = [f"-D{variant.shape}", f"-DFAULTS={variant.faults}"]
        defines += [f"-DBROKEN_{variant.broken}"] if variant.broken else []
        defines += ["-DNOTHING_BREAKS"] if variant.calm else []
        _run(folder, "spin", "-a", *defines, MODEL.name)
        # A few thousand states are seen sooner than the compiler has thought about them.
        thorough = "-O0" if variant.broken or variant.faults < 2 else "-O2"
        _run(folder, "cc", thorough, *COMPILER, "-DNP" if variant.progress else "-DSAFETY", "-o", "pan", "pan.c")
        began = time.monotonic()
        said = _run(folder, "./pan", f"-m{DEPTH}", *(["-l"] if variant.progress else []))
        seconds = time.monotonic() - began
        fault = _fault(said)
        story = _story(_run(folder, "./pan", "-r", "-n")) if fault else []
    return Verdict(
        variant,
        int(_figure(said, r"^\s*(\d+) states, stored")),
        seconds,
        _figure(said, r"^\s*([\d.]+)\s+total actual memory usage"),
        fault,
        story,
        frozenset(MOVES[int(number)].name for number in re.findall(r"^moved (\d+)$", said, re.M)),
    )


def main() -> int:
    faults = int(os.environ.get("FAULTS", "2"))
    only = os.environ.get("ONLY", "").lower().split(",")
    variants = [one for one in (*sound(faults), *BROKEN) if any(word in one.name for word in only)]
    verdicts = []
    print(f"{'variant':42}{'states':>12}{'seconds':>9}{'MB':>7}  verdict")
    for variant in variants:
        verdict = check(variant)
        verdicts.append(verdict)
        found = verdict.fault or "holds"
        print(
            f"{variant.name:42}{verdict.states:>12,}{verdict.seconds:>9.1f}{verdict.megabytes:>7.0f}  {found}", end=""
        )
        print("" if verdict.is_as_expected else "  <- NOT AS IT SHOULD BE", flush=True)
        if not verdict.is_as_expected or os.environ.get("STORIES") == "1":
            print("".join(f"    {line}\n" for line in verdict.story), end="")
    faulty = [verdict.variant.name for verdict in verdicts if not verdict.is_as_expected]
    if only == [""] and (unmade := unmade_moves(verdicts)):
        print(f"The model never makes these moves: {', '.join(sorted(unmade))}.")
        return 1
    return int(bool(faulty))


def unmade_moves(verdicts: list[Verdict]) -> set[str]:
    """Return the moves of the table that no sound variant makes: of them the model would say nothing."""
    made = {name for verdict in verdicts if not verdict.variant.broken for name in verdict.moved}
    return {move.name for move in MOVES} - made


def _run(folder: Path, *command: str) -> str:
    answer = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if answer.returncode != 0 and "-r" not in command:
        raise SystemExit(f"{' '.join(command)} failed:\n{answer.stdout[-3000:]}")
    return answer.stdout


def _figure(said: str, pattern: str) -> float:
    found = re.search(pattern, said, re.M)
    if found is None:
        raise SystemExit(f"The checker broke off:\n{said[-3000:]}")
    return float(found[1])


def _fault(said: str) -> str:
    """Return what went wrong, in words; a run that was not complete is none that has found nothing."""
    if "errors: 0" in said and "Search not completed" not in said and "max search depth too small" not in said:
        return ""
    [error] = re.findall(r"^pan:1: (.*?) \(at depth", said, re.M | re.S) or [""]
    if "invalid end state" in error:
        return "deadlock"
    if "non-progress cycle" in error:
        return "it goes on for ever"
    if error.startswith("assertion violated"):
        return _law(error)
    raise SystemExit(f"The checker broke off:\n{said[-3000:]}")


def _law(text: str) -> str:
    """Return which assertion it was, by what stands in it."""
    squeezed = re.sub(r"\s", "", text)
    for words, law in LAWS:
        if words in squeezed:
            return law
    return f"assertion: {squeezed[:80]}"


# Spin writes an assertion with all its macros; each has something of its own.
LAWS = (
    ("acked", "a task is lost, or waits for nothing"),
    ("recorded", "an attempt is recorded twice"),
    ("saved.status", "what had succeeded has not"),
    ("taken[0]<=1", "more slots are taken than there are"),
    ("taken[0]==0", "slots do not come back"),
    ("taken[0]==", "slots are not counted exactly"),
    ("slotless[0]", "a task never ends"),
    ("db.status", "a task goes on before what it needs has ended"),
)


def _story(said: str) -> list[str]:
    """Return what happened on the way, in words of the table."""
    lines = [line for line in said.splitlines() if re.match(r"by \d|the ", line)]
    named = (re.sub(r"move (\d+)", lambda found: MOVES[int(found[1])].name, line) for line in lines)
    return [re.sub(r"^by (\d)", lambda found: WHO[int(found[1])], line) for line in named]


if __name__ == "__main__":
    sys.exit(main())
