"""What `make load` writes: a table and a plot of what Locust has counted."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.load import report

COUNTED = """Type,Name,Request Count,Failure Count,50%,95%
ask,"100 users, API: asked → answered",410,1,4900,14000
GET,"100 users, API: poll",3042,0,32,300
ask," 10 users, in the request: asked → answered",376,0,71,190
POST," 10 users, in the request: POST",376,0,71,190
,Aggregated,3828,1,70,5000
"""
DURATIONS = {"100 users, API": 50.0, " 10 users, in the request": 40.0}


def test_table_and_plot_have_each_kind_of_request_in_order(tmp_path: Path) -> None:
    counted = tmp_path / "figures.csv"
    counted.write_text(COUNTED)
    figures = report.read_figures(counted, DURATIONS)
    assert report.table(figures).splitlines()[2:] == [
        "| **10 users** | | | | | |",
        "| in the request | 376 | 0 | 71 ms | 190 ms | 9.4 |",
        "| **100 users** | | | | | |",
        "| API: poll | 3,042 | 0 | 32 ms | 300 ms | 60.8 |",
        "| API: asked → answered | 410 | 1 | 4.9 s | 14 s | 8.2 |",
    ]
    texts = [node.text for node in ElementTree.fromstring(report.plot(figures)).iter() if node.tag.endswith("text")]
    assert [text for text in texts if text and text[0].isalpha()] == [
        "in the request",
        "API: poll",
        "API: asked → answered",
    ]
    assert {"10 ms", "100 s", "10 users", "14 s"} <= set(texts)


def test_plot_in_the_docs_is_of_the_table_beside_it() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "load"
    rows = [line.strip("| ").split(" | ") for line in (docs / "README.md").read_text().splitlines()]
    lines = [row for row in rows if len(row) == 6 and row[1][0].isdigit()]
    nodes = list(ElementTree.fromstring((docs / "report.svg").read_text()).iter("{http://www.w3.org/2000/svg}g"))
    assert [(line[0], line[4]) for line in lines] == [tuple(text.text for text in node if text.text) for node in nodes]
