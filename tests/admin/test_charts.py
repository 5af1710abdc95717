"""The charts' page: its tables have the numbers, by queue and type; without a script they are all there is."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tasks.models import Attempt, Node
from tasks.ui.sparkline import sparkline
from tests.admin.conftest import fail_one, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.mark.parametrize("period", ["hour", "day", "week", "month", "nonsense", ""])
def test_tables_have_what_the_charts_draw(alice: User, node: Node, viewer: Client, period: str) -> None:
    succeed_one(alice, node)
    fail_one(alice, node)
    # A minute may begin at any moment.
    Attempt.objects.update(finished_at=Attempt.objects.latest("finished_at").finished_at)
    page = viewer.get(f"/admin/charts/?period={period}")
    charts = {chart.name: chart for chart in page.context["charts"]}
    assert set(charts) == {"ended", "failed", "waited", "ran"}
    assert [row.cells for row in charts["ended"].rows if row.cells[0].value != "0"] == [[("1", "1"), ("1", "1")]]
    assert [row.cells for row in charts["failed"].rows if row.cells[0].value] == [[("50.0 %", "50")]]
    assert all(len(chart.rows) == len(charts["ended"].rows) for chart in charts.values())
    assert 'data-value="50"' in page.text
    assert "style=" not in page.text
    [queue] = page.context["queues"]
    assert (queue.title, queue.sums.total, queue.percent) == ("Diagnostics", 2, "50.0 %")
    narrowed = viewer.get(queue.url)
    assert [line.title for line in narrowed.context["types"]] == ["Echo"]
    assert viewer.get("/admin/charts/?type=nothing").context["types"] == []


def test_who_may_not_see_tasks_sees_no_charts(alice: User, viewer: Client) -> None:
    from django.contrib.auth.models import Group

    Group.objects.get(name="viewer").permissions.clear()
    assert viewer.get("/admin/charts/").status_code == 403


def test_list_of_queues_has_a_sparkline_of_the_last_hour(alice: User, node: Node, viewer: Client) -> None:
    succeed_one(alice, node)
    page = viewer.get("/admin/tasks/queue/").text
    assert 'aria-label="last hour: 1 ended, 0 failed"' in page
    assert page.count('<svg class="sparkline"') == 1


def test_what_is_not_nothing_is_seen_however_much_there_is_elsewhere() -> None:
    drawn = sparkline([(1_000_000, 0), (0, 0), (1, 1)], "much & little")
    assert drawn.count("<rect") == 3
    assert 'y="22.50"' in drawn
    assert "much &amp; little" in drawn
    assert "<rect" not in sparkline([], "nothing")
