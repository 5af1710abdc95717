"""`make bench` measures what it promises, in the smallest size, with a real node; and its report says what was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench import figures, plot, report
from tests.bench.figures import KINDS, Figures
from tests.bench.peers import found
from tests.bench.processes import PROJECT
from tests.bench.wanted import wanted_parts

PARTS = {"limits", "submit", "latency", "drain"}


def run_bench(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    words = ["-m", "portal.launch.with_database", "test", "--", sys.executable, "tests/bench/run.py", str(folder)]
    return subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT,
        env=surroundings | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_smallest_bench_sees_every_figure_with_nothing_and_with_many_held(tmp_path: Path) -> None:
    answer = run_bench(tmp_path, TINY="1", HELD="200", ONLY=",".join(PARTS))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    seen = figures.read(tmp_path / "bench.json")
    wanted = {name for name, kind in KINDS.items() if kind.part in PARTS}
    assert set(seen.names()) == wanted
    # Before estimates are learned it is measured once only: nobody forgets them with a million tasks held.
    assert {name for name in wanted if not seen.values(name, 200)} == {"drain_unknown"}
    assert all(value > 0 for name in wanted for value in seen.values(name, 0) if not name.endswith(("cpu", "postgres")))
    assert "drain, 100 users" in (tmp_path / "bench.md").read_text()


def test_a_part_that_is_not_there_is_named() -> None:
    with pytest.raises(SystemExit, match="ONLY has no nonsense; the parts are limits,"):
        wanted_parts({"ONLY": "drain,nonsense"})


def seen_once() -> Figures:
    seen = Figures({"commit": "abc"})
    for rate in (900.0, 1000.0, 1100.0):
        seen.add("drain_one", rate, held=0)
    seen.add("drain_one", 500.0, held=1_000_000)
    seen.add("enqueue_p50", 2.0, held=0)
    seen.add("drain_one", 4000.0, held=0, queue="PgQueuer")
    return seen


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    seen = seen_once()
    seen.write(tmp_path / "bench.json")
    assert figures.read(tmp_path / "bench.json") == seen


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99, "machine": {}, "figures": []}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json"):
        figures.read(path)


def test_figures_of_former_benches_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    gone = {"queue": "portal", "figure": "gone", "unit": "/s", "held": 0, "rounds": [1.0]}
    path.write_text(json.dumps({"format": figures.FORMAT, "machine": {}, "figures": [gone]}))
    assert figures.read(path).names() == []


def test_the_table_has_medians_their_range_and_the_ratio_to_before() -> None:
    earlier = Figures()
    earlier.add("drain_one", 500.0, held=0)
    earlier.add("enqueue_p50", 1.0, held=0)
    text = report.markdown(seen_once(), earlier)
    assert "| 1,000/s (900–1,100) | 2.00 better | 500/s | — |" in text
    assert "| 2.00 ms | 2.00 worse | — | — |" in text
    assert "| PgQueuer | 4,000/s | — |" in text


def test_the_plot_is_an_image_with_a_line_for_each_figure() -> None:
    drawing = ElementTree.fromstring(plot.plot(seen_once()))
    shown = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "drain, one user of 64 slots" in shown
    assert "PgQueuer: drain, one user of 64 slots" in shown


def test_a_peer_that_is_not_installed_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("asyncpg", "procrastinate", "celery"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in found.PEERS:
        monkeypatch.delitem(sys.modules, f"tests.bench.peers.{name.partition('.')[0]}", raising=False)
    with found.peers({"PEERS": "1"}) as peers:
        assert peers == []
    said = capsys.readouterr().out
    for name in ("WithPgQueuer", "WithProcrastinate", "WithCelery"):
        assert f"{name} is left out" in said
