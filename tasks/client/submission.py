"""The body of a submission: a type, an input, and what may be said besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class SubmissionOptions(TypedDict, total=False):
    """What may be said of a task besides its type and input; None is the same as nothing.

    `name` is what it is called in lists.
    `needs` are ids of tasks that must have succeeded first, `after` of those that must have ended. `run_after` and
    `start_before` are RFC 3339 times. `timeout` and `keep` are seconds, or durations like ``"2h30m"``. `webhook` is
    the id of an endpoint, or a URL.
    """

    name: str | None
    priority: int | None
    needs: Sequence[str]
    after: Sequence[str]
    run_after: str | None
    start_before: str | None
    timeout: int | str | None
    max_attempts: int | None
    keep: int | str | None
    metadata: Mapping[str, Any] | None
    tags: Sequence[str]
    webhook: str | None
    on_quota: Literal["reject", "downgrade"] | None
    reuse: bool | None


def submission(type: str, input: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a submission.

    >>> submission("diagnostic.echo", {"message": "x"}, {"needs": (), "tags": ["a"], "priority": None})
    {'tags': ['a'], 'type': 'diagnostic.echo', 'input': {'message': 'x'}}

    Raises:
        TypeError: there is no such option.
    """
    if unknown := options.keys() - SubmissionOptions.__annotations__.keys():
        raise TypeError(f"There is no option {', '.join(sorted(unknown))} of a submission.")
    # What is not asked for is not sent: an older portal would refuse fields that it does not know.
    asked = {name: value for name, value in options.items() if value not in (None, (), [])}
    return asked | {"type": type, "input": dict(input)}
