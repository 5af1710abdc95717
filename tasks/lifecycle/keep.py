"""Keeping: what an attempt has done is kept for those after it, under its token, for as long as the task goes on."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any, NamedTuple
from uuid import UUID

from tasks import errors, sql
from tasks.lifecycle.claim import Claimed
from tasks.measures import size_text
from tasks.models import KeptPiece
from tasks.periodic import duty, in_rounds

LIMIT = 500
MIB = 1024 * 1024
# Of all pieces of a task: an hour of speech takes one, a hundred scanned pages take five.
MOST_BYTES = 16 * MIB
MAX_KEY_LENGTH = 200


class Kept(NamedTuple):
    fits: bool


def keep_piece(claimed: Claimed, key: str, number: int, piece: Any) -> bool:
    """Keep one more piece; False when the attempt was superseded: then nothing was written.

    Args:
        number: how many the key has already. One that is there is left as it is.

    Raises:
        TooMuchKept: the task would keep more than it may; nothing was written.
        GiveUp: the piece is not JSON, or the key is too long.
    """
    if len(key) > MAX_KEY_LENGTH:
        raise errors.GiveUp(f"A key of what is kept has at most {MAX_KEY_LENGTH} characters.")
    try:
        data = json.dumps(piece).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.GiveUp(f"What is to be kept is not JSON: {error}") from error
    asked = {"task": claimed.id, "token": claimed.token, "key": key, "number": number, "data": data}
    kept = sql.run_one("lifecycle/keep", asked | {"most": MOST_BYTES}, row=Kept)
    if kept is not None and not kept.fits:
        raise errors.TooMuchKept(f"{errors.TooMuchKept().message} That is {size_text(MOST_BYTES)} in all.")
    return kept is not None


def read_pieces(task: UUID, key: str) -> list[Any]:
    """Return what earlier attempts of a task kept under a key, in order."""
    rows = KeptPiece.objects.filter(task=task, key=key).order_by("number").values_list("number", "data")
    # A gap is where a server lost the last moments before it broke off.
    whole = takewhile(lambda numbered: numbered[0] == numbered[1][0], enumerate(rows))
    return [json.loads(bytes(data)) for _, (_, data) in whole]


@duty(every=60)
def forget_kept_pieces() -> int:
    """Delete what was kept for further attempts of tasks that have ended."""
    return in_rounds(lambda: sql.count("lifecycle/forget_kept", {"limit": LIMIT}), limit=LIMIT)
