"""bench.noop: a task that only says when its handler ran."""

from __future__ import annotations

import time

from pydantic import Field

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, task_type


class NoopInput(Input):
    number: int = Field(default=0, title="Number", description="Tells one task from another; nothing else.")


class NoopResult(Result):
    ran_at: float = Field(description="epoch seconds by this machine's clock")


@task_type(
    name="bench.noop",
    title="Nothing",
    description="Does nothing. What is left is what the queue costs.",
    queue="bench",
    input=NoopInput,
    result=NoopResult,
    example={"number": 1},
    samples=[{"number": 1}],
    est_seconds=0.01,
    diagnostic=True,
)
def noop(ctx: Context, data: NoopInput) -> NoopResult:
    """Say when it ran."""
    return NoopResult(ran_at=time.time(), engine=EngineInfo(name="portal", version="1"))
