"""The model's moves are those of the code."""

from __future__ import annotations

from pathlib import Path

from tasks import sql, statuses
from tests.model.moves import BY_ENDS, MOVES, NEW, header

MODEL = Path(__file__).parent


def test_moves_of_the_model_are_those_of_the_code() -> None:
    modelled = {(move.before, move.after) for move in MOVES if move.before != NEW}
    assert modelled == {(before.value, after.value) for before, afters in statuses.MOVES.items() for after in afters}
    assert len(BY_ENDS) == len(MOVES), "two moves have the same ends: a trace could not tell which it was"


def test_each_move_names_a_statement_that_writes_the_status_it_leads_to() -> None:
    for move in MOVES:
        text = sql.statement(f"lifecycle/{move.statement}").decode()
        # finish.sql is told the status; the word is one of `Ending`'s.
        assert f"'{move.after}'" in text or move.statement == "finish", move


def test_model_makes_every_move_of_the_table() -> None:
    text = "".join(part.read_text() for part in MODEL.glob("*.pml"))
    assert [move.name for move in MOVES if f"MOVE_{move.name}(" not in text] == []
    assert header().count("#define MOVE_") == len(MOVES)
