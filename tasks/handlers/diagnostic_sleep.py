"""diagnostic.sleep: a task that lasts as long as it is told, and can be watched, cancelled and killed meanwhile."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, task_type

# Short enough that a cancelled task stops at once for a person.
STEP_SECONDS = 0.1


class SleepInput(Input):
    seconds: float = Field(title="Seconds", description="How long to sleep.", ge=0, le=3600, allow_inf_nan=False)
    in_one_go: bool = Field(
        default=False, title="In one go", description="Sleep in one piece, without noticing a cancellation."
    )


class SleepResult(Result):
    seconds: float = Field(description="how long it slept")
    attempt: int = Field(description="number of the attempt that slept to the end")


EXAMPLE: dict[str, Any] = {"seconds": 2}


@task_type(
    name="diagnostic.sleep",
    title="Sleep",
    description="Sleeps in small steps and reports its progress. For trying out progress, cancelling and fairness.",
    queue="diagnostics",
    input=SleepInput,
    result=SleepResult,
    example=EXAMPLE,
    samples=[{"seconds": 1}],
    max_attempts=5,
    est_seconds=2.0,
    diagnostic=True,
    waits=True,
    icon="moon",
)
def sleep(ctx: Context, data: SleepInput) -> SleepResult:
    """Sleep `seconds`, looking at every step whether to stop."""
    started = time.monotonic()
    if data.in_one_go:
        time.sleep(data.seconds)
    while (slept := time.monotonic() - started) < data.seconds:
        ctx.check()
        ctx.progress(slept / data.seconds, f"slept {slept:.1f} of {data.seconds:g} seconds")
        time.sleep(min(STEP_SECONDS, data.seconds - slept))
    ctx.check()
    engine = EngineInfo(name="portal", version="1")
    return SleepResult(seconds=round(time.monotonic() - started, 3), attempt=ctx.attempt, engine=engine)
