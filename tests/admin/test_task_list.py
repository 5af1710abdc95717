"""The list of tasks: paged by key, counted up to a cap, filtered and searched by what has an index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from tasks.admin import keyset
from tasks.admin.tasks import TaskScreen
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, SavedView, Task
from tests.admin.conftest import fail_one, submit_echo, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/tasks/task/"


def ids(response: Any) -> list[object]:
    return [task.pk for task in response.context["cl"].result_list]


def listed(client: Client, **params: str) -> set[object]:
    response = client.get(LIST, params)
    assert response.status_code == 200
    return set(ids(response))


def test_pages_by_key_show_every_task_once_newest_first(
    alice: User, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskScreen, "list_per_page", 3)
    for _ in range(8):
        submit_echo(alice)
    seen: list[object] = []
    address = LIST
    while address:
        response = viewer.get(address)
        seen += ids(response)
        assert response.context["cl"].count_text == "8"
        link = response.context["cl"].older_link
        address = LIST + link if link else ""
    assert seen == list(Task.objects.order_by("-pk").values_list("pk", flat=True))


def test_page_keeps_its_filter_and_filter_drops_the_page(
    alice: User, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskScreen, "list_per_page", 1)
    for _ in range(3):
        submit_echo(alice)
    older = viewer.get(LIST, {"status": "queued"}).context["cl"].older_link
    assert "status=queued" in older
    changelist = viewer.get(LIST + older).context["cl"]
    assert "before" not in changelist.get_query_string({"status": "failed"})


def test_count_stops_at_the_cap(alice: User, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "COUNT_CAP", 2)
    monkeypatch.setattr(TaskScreen, "list_per_page", 1)
    for _ in range(4):
        submit_echo(alice)
    assert viewer.get(LIST).context["cl"].count_text == "2+"


def test_malformed_page_key_is_sent_to_the_first_page(viewer: Client) -> None:
    assert viewer.get(LIST, {"before": "nonsense"}).headers["Location"] == f"{LIST}?e=1"


def test_filters_find_by_status_type_queue_and_error(alice: User, node: Node, viewer: Client) -> None:
    failed, done = fail_one(alice, node), succeed_one(alice, node)
    waiting = submit_echo(alice).pk
    assert listed(viewer, status="queued") == {waiting}
    assert listed(viewer, status="failed") == {failed}
    assert listed(viewer, error="unreadable_file") == {failed}
    assert listed(viewer, error="poison") == set()
    assert listed(viewer, type="diagnostic.echo", queue="diagnostics", created="hour") == {failed, done, waiting}
    assert listed(viewer, queue="text") == set()


def test_search_finds_by_id_beginning_person_and_tag(alice: User, bob: User, viewer: Client) -> None:
    mine = submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, tags=["urgent"])).task
    other = submit_echo(bob)
    assert listed(viewer, q=str(mine.pk)) == {mine.pk}
    assert listed(viewer, q=mine.pk.hex) == {mine.pk}
    assert listed(viewer, q=str(mine.pk)[:8]) >= {mine.pk}
    assert listed(viewer, q="alice@example.com") == {mine.pk}
    assert listed(viewer, q="bob") == {other.pk}
    assert listed(viewer, q="tag:urgent") == {mine.pk}
    assert listed(viewer, q="nobody'") == set()


@pytest.mark.parametrize("name", ["q", "status", "type", "queue", "created", "error", "batch", "node", "ended_after"])
def test_nul_in_the_address_is_no_server_error(viewer: Client, name: str) -> None:
    assert viewer.get(LIST, {name: "a\0b"}).status_code == 200


def test_statement_that_takes_too_long_is_given_up_with_a_hint(
    alice: User, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit_echo(alice)
    monkeypatch.setattr("tasks.figures.bounded.STATEMENT_MS", 50)
    slow = TaskScreen.get_search_results

    def sleep_first(self: Any, request: Any, queryset: Any, term: str) -> Any:
        return slow(self, request, queryset.extra(where=["pg_sleep(2) IS NOT NULL"]), term)

    monkeypatch.setattr(TaskScreen, "get_search_results", sleep_first)
    response = viewer.get(LIST, {"q": "alice"})
    assert response.headers["Location"] == LIST


def test_priority_shows_what_was_asked_and_what_was_given(make_user: Callable[..., User], viewer: Client) -> None:
    carol = make_user("carol", max_priority=8, high_per_day=0)
    submit_task(carol, Submission("diagnostic.echo", {"message": "x"}, priority=8, on_quota="downgrade"))
    assert "8 → 6" in viewer.get(LIST).content.decode()


def test_filters_find_by_node_and_when_a_task_ended(alice: User, node: Node, viewer: Client) -> None:
    early, late = fail_one(alice, node), fail_one(alice, node)
    submit_echo(alice)
    other = Node.objects.create(id=uuid4(), name="other", cluster_id="default", host="h", pid=1, version="0", workers=1)
    # Tasks end after they were made, whatever day it is: the list looks at no younger ones.
    noon = datetime(2050, 11, 30, 12, tzinfo=UTC)
    Task.objects.filter(pk=early).update(finished_at=noon)
    Task.objects.filter(pk=late).update(finished_at=noon + timedelta(hours=2), node=other)
    assert listed(viewer, ended_after="2050-11-30T13:00") == {late}
    assert listed(viewer, ended_before="2050-11-30T13:00Z") == {early}
    assert listed(viewer, ended_after="2050-11-30T11:00", ended_before="2050-11-30T13:00") == {early}
    assert listed(viewer, node="other") == {late}
    assert listed(viewer, node="default", error="unreadable_file") == {early}
    # As a person in another zone means it.
    User.objects.filter(email="viewer@example.com").update(time_zone="Asia/Shanghai")
    assert listed(viewer, ended_after="2050-11-30T20:30") == {late}


@pytest.mark.parametrize("text", ["yesterday", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "2026-13-01T00:00"])
def test_what_is_no_time_finds_nothing_and_says_so(alice: User, viewer: Client, text: str) -> None:
    submit_echo(alice)
    page = viewer.get(LIST, {"ended_before": text})
    assert ids(page) == []
    assert "This is no time." in page.text


def test_view_is_a_chip_of_its_owner_alone(operator: Client, viewer: Client) -> None:
    def save(name: str, query: str) -> str:
        return operator.post(f"{LIST}views/", {"name": name, "query": query}, follow=True).text

    assert "Saved as “Failed <b>”.".replace("<", "&lt;").replace(">", "&gt;") in save(
        "Failed <b>", "type=pdf.extract&before=1&status=failed&evil=1"
    )
    view = SavedView.objects.get()
    assert (view.place, view.query) == ("operators", "status=failed&type=pdf.extract")
    shown = operator.get(f"{LIST}?{view.query}").text
    assert 'href="?status=failed&amp;type=pdf.extract" aria-current="true"' in shown
    # Not in the portal's list, nor in anybody else's.
    assert "Failed &lt;b&gt;" not in operator.get("/tasks").text + viewer.get(LIST).text
    assert "nothing is filtered" in save("All", "before=1")
    assert "one line of 1 to 200 characters" in save("", "status=failed")
    forget = f"{LIST}views/{view.pk}/delete/"
    assert viewer.post(forget).status_code == 404
    assert operator.get(forget).status_code == 405
    assert "was deleted" in operator.post(forget, follow=True).text
    assert not SavedView.objects.exists()
