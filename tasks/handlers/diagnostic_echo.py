"""diagnostic.echo: the shortest task there is; shows that submit, claim, run and finish work."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, task_type


class EchoInput(Input):
    message: str = Field(title="Message", description="Comes back as it is.", max_length=100_000)


class EchoResult(Result):
    text: str = Field(description="the message")
    attempt: int = Field(description="number of the attempt that wrote this")


EXAMPLE: dict[str, Any] = {"message": "hello"}


@task_type(
    name="diagnostic.echo",
    title="Echo",
    description="Returns the message. For trying out a client or an installation.",
    queue="diagnostics",
    input=EchoInput,
    result=EchoResult,
    example=EXAMPLE,
    samples=[EXAMPLE],
    est_seconds=0.01,
    diagnostic=True,
    icon="repeat",
)
def echo(ctx: Context, data: EchoInput) -> EchoResult:
    """Return the message."""
    return EchoResult(text=data.message, attempt=ctx.attempt, engine=EngineInfo(name="portal", version="1"))
