"""diagnostic.walk: a dozen steps of some tenths of a second; the result says which attempt did which."""

from __future__ import annotations

import os
import time

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, task_type

STEPS = 12


class WalkInput(Input):
    message: str


class WalkResult(Result):
    steps: list[tuple[int, int, int]]


@task_type(
    name="diagnostic.walk",
    title="Walk",
    description="Walks.",
    queue="diagnostics",
    input=WalkInput,
    result=WalkResult,
    example={"message": "go"},
    internal=True,
)
def walk(ctx: Context, _data: WalkInput) -> WalkResult:
    """Return attempt, number and process of each step."""
    done = ctx.kept("steps")
    for number in range(len(done), STEPS):
        # What is done between two steps is the work.
        time.sleep(0.2)
        step = [ctx.attempt, number, os.getpid()]
        ctx.keep(step, "steps")
        done.append(step)
    return WalkResult(steps=done, engine=EngineInfo(name="portal", version="1"))
