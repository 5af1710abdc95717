"""python.call: calls an allow-listed Python function. For `tasks.interop`, not for requests."""

from __future__ import annotations

import platform
from typing import Any

from pydantic import Field

from tasks.context import Context
from tasks.errors import AttemptInterrupted, FunctionRaised, GiveUp, Snooze, TaskError
from tasks.functions import allowed
from tasks.functions.call import call_function
from tasks.functions.plain import plain_json
from tasks.registry import EngineInfo, Input, Result, task_type

# A node takes a function that it does not run only where none does: gives it back so often, for more than an hour.
MOST_TIMES_GIVEN_BACK = 100
LONGEST_PAUSE_SECONDS = 60.0


class CallInput(Input):
    function: str = Field(title="Function", description="Its dotted name.", max_length=500)
    args: list[Any] = Field(default_factory=list, title="Arguments", description="By position.")
    kwargs: dict[str, Any] = Field(default_factory=dict, title="Named arguments")
    backend: str = Field(default="", title="Backend", description="Alias of the django.tasks backend that enqueued it.")


class CallResult(Result):
    value: Any = Field(default=None, description="what the function returned")


EXAMPLE: dict[str, Any] = {"function": "shop.tasks.send_receipt", "args": [17]}


@task_type(
    name="python.call",
    reusable=False,
    title="Call a function",
    description="Calls a Python function that TASK_FUNCTIONS allows.",
    queue="system",
    input=CallInput,
    result=CallResult,
    example=EXAMPLE,
    samples=[EXAMPLE],
    internal=True,
)
def python_call(ctx: Context, data: CallInput) -> CallResult:
    """Call the function; what it raises fails the task for good, unless it is one of our own errors.

    Raises:
        Snooze: this node runs none, and there is no other.
        FunctionNotAllowed: this node runs others, or none came for long.
    """
    if not allowed.are_run_here() and ctx.attempt <= MOST_TIMES_GIVEN_BACK:
        raise Snooze(
            f"No living node runs functions: TASK_FUNCTIONS is empty, also on {platform.node()}.",
            seconds=min(LONGEST_PAUSE_SECONDS, ctx.attempt),
        )
    try:
        value = call_function(data.function, data.args, data.kwargs, task_id=ctx.task_id, backend=data.backend)
    except (TaskError, AttemptInterrupted):
        raise
    except BaseException as error:  # foreign code may raise anything, SystemExit included
        raise FunctionRaised(_in_words(error)) from error
    try:
        value = plain_json(value)
    except (TypeError, ValueError) as error:
        raise GiveUp(f"{data.function} returned something that is not JSON. {error}") from error
    return CallResult(value=value, engine=EngineInfo(name="python", version=platform.python_version()))


def _in_words(error: BaseException) -> str:
    # The full name of the class comes first: `tasks.interop.results` reads it there.
    kind = type(error)
    words = str(error).strip()
    return f"{kind.__module__}.{kind.__qualname__}" + (f": {words}" if words else "")
