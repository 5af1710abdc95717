"""The moves of a task: the one table that the model is made of, and that what really happened is replayed against.

The model gets it as macros (`header`), the checker of traces as it stands. `tests/model/test_moves.py` compares it with
`tasks.statuses.MOVES`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

NEW = "new"
STATUSES = (NEW, "waiting", "scheduled", "held", "ready", "running", "succeeded", "failed", "cancelled", "expired")
# What a move leaves to be settled.
NOTHING, LOOK, SLOT = "nothing", "look", "slot"


class Move(NamedTuple):
    """`taken`: what it does to its lane's slots in the same transaction.

    `owes`: the settlement that it leaves. With `slot`: of one slot, and with a look at what waits for the task if
    that has ended. With `look`: of no slot, and only where others wait for the task.
    """

    name: str
    before: str
    after: str
    statement: str
    taken: int = 0
    owes: str = NOTHING


UNSTARTED = ("waiting", "scheduled", "held")

MOVES: tuple[Move, ...] = (
    *(Move(f"submit_{after}", NEW, after, "insert_task") for after in UNSTARTED),
    Move("submit_ready", NEW, "ready", "insert_task", taken=1),
    Move("depend_held", "waiting", "held", "depend"),
    Move("depend_scheduled", "waiting", "scheduled", "depend"),
    Move("depend_failed", "waiting", "failed", "depend", owes=LOOK),
    Move("due", "scheduled", "held", "due"),
    Move("fill", "held", "ready", "fill", taken=1),
    Move("hold", "ready", "held", "hold", taken=-1),
    Move("claim", "ready", "running", "claim"),
    *(
        Move(f"finish_{after}", "running", after, "finish", owes=SLOT)
        for after in ("succeeded", "failed", "cancelled", "scheduled", "waiting")
    ),
    *(
        Move(f"release_{before}_{after}", before, after, "release", taken=-int(before == "ready"), owes=LOOK)
        for before in (*UNSTARTED, "ready")
        for after in ("cancelled", "expired")
    ),
    *(
        Move(f"revive_{before}_{after}", before, after, "revive")
        for before in ("failed", "cancelled", "expired")
        for after in ("held", "waiting")
    ),
)

BY_ENDS = {(move.before, move.after): move for move in MOVES}


def header(moves: Iterable[Move] = MOVES) -> str:
    """Return the table as macros: `MOVE_fill(task, token)` does to the model's database what fill does to ours."""
    lines = ["/* Made from tests/model/moves.py. */"]
    lines += [f"#define {status.upper()} {number}" for number, status in enumerate(STATUSES)]
    lines += [f"#define OWES_{owes.upper()} {number}" for number, owes in enumerate((NOTHING, LOOK, SLOT))]
    lines.append(f"#define MOVES {len(tuple(moves))}")
    lines += [
        f"#define MOVE_{move.name}(t, k) "
        f"move({number}, t, k, {move.before.upper()}, {move.after.upper()}, {move.taken}, OWES_{move.owes.upper()})"
        for number, move in enumerate(moves)
    ]
    return "\n".join(lines) + "\n"
