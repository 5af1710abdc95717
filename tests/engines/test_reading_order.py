"""Lines of scattered pieces."""

from __future__ import annotations

import time

from tasks.engines.reading_order import Piece, lines_of


def test_time_grows_with_the_number_of_pieces_even_where_all_are_in_one_line() -> None:
    pieces = [Piece("gull", place * 10.0, 0.0, place * 10.0 + 8, 10.0) for place in range(20_000)]
    began = time.process_time()
    (line,) = lines_of(list(reversed(pieces)))
    assert time.process_time() - began < 10
    assert line == pieces


def test_a_line_of_hebrew_begins_on_the_right() -> None:
    pieces = [Piece("שלום", 0, 0, 8, 10), Piece("עולם", 10, 1, 18, 11), Piece("below", 0, 30, 8, 40)]
    assert lines_of(pieces) == [[pieces[1], pieces[0]], [pieces[2]]]
