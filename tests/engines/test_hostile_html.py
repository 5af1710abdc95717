"""Pages that no editor writes: read as a browser would, in time that grows with their length alone."""

from __future__ import annotations

import time

import pytest

from tasks.engines.html_blocks import read_html


@pytest.mark.parametrize(
    "page", ["<p>Gulls <![ off", "<p>Gulls <![x[ off > here", "<![", "<!", "</", "<p>a <b", "<p>a &lt"]
)
def test_a_page_that_breaks_off_anywhere_is_read(page: str) -> None:
    text = " ".join(block.text for block in read_html(page).blocks)
    assert ("Gulls" in text) == ("Gulls" in page)


@pytest.mark.parametrize("end", ["x < y", "if a <b then", "5 &lt; 6 <i"])
def test_text_behind_the_last_tag_is_kept(end: str) -> None:
    assert read_html(f"<p>First</p>{end}").blocks[-1].text == end.replace("&lt;", "<")


@pytest.mark.parametrize(
    "page",
    [
        "<a " * 40_000,
        "<svg>" * 40_000 + "</head>" * 40_000,
        "<div>" * 40_000 + "</p>" * 40_000,
        "<table><tr><td>" * 20_000,
        "<p>" + "<!" * 40_000,
        "<p>" + "&amp" * 40_000,
    ],
    ids=["tags without end", "hidden", "divisions", "tables", "comments", "characters"],
)
def test_time_grows_with_the_length_alone(page: str) -> None:
    began = time.process_time()
    read_html(page)
    assert time.process_time() - began < 15
