"""The list of tasks: its search, its filters and what they say, and views that are saved."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.models import SavedView, Task
from tasks.search import saved_views
from tests.web.conftest import Finish, SignIn, Submit

pytestmark = pytest.mark.django_db
LIST = reverse("web:tasks")


def found(page: Client, **query: str) -> list[str]:
    return [task.content.name for task in page.get(LIST, query).context["page"].items]


def test_search_shows_the_place_where_the_words_stand(page: Client, alice: User, finished: Finish) -> None:
    finished(alice, {"text": "The ferry leaves <b>Pier</b> seven at noon."})
    answer = page.get(LIST, {"q": "PIER noon"})
    assert "The ferry leaves &lt;b&gt;<mark>Pier</mark>&lt;/b&gt; seven at <mark>noon</mark>." in answer.text
    assert "1 task<" in answer.text
    assert "Nothing matches" in page.get(LIST, {"q": "harbour"}).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"q": "x" * 10_000}, "Only the first 200 characters are looked for."),
        ({"q": "%"}, "“%” has no letters or digits"),
        ({"q": "!?…"}, "has no letters or digits"),
        ({"q": " ".join("abcdefghijkl")}, "At most 10 words are looked for."),
        ({"from": "2026-02-31"}, "“2026-02-31” is no day, and was left out."),
        ({"to": "<i>"}, "“&lt;i&gt;” is no day"),
        ({"from": "0001-01-01"}, "is no day"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "The first day is after the last one"),
    ],
)
def test_what_cannot_be_looked_for_is_said(
    page: Client, submit: Submit, alice: User, query: dict[str, str], said: str
) -> None:
    submit(alice)
    answer = page.get(LIST, query)
    assert answer.status_code == 200
    assert said in answer.text


def test_filters_are_joined_and_said_and_taken_away_one_by_one(page: Client, alice: User, submit: Submit) -> None:
    submit(alice, name="one", tags=["a"])
    submit(alice, name="two", tags=["a"], run_after=datetime(2100, 1, 1, tzinfo=ZoneInfo("UTC")))
    submit(alice, name="three", tags=["b"])
    assert found(page, q="hello", tag="a") == ["two", "one"]
    assert found(page, q="hello", tag="a", status="scheduled") == ["two"]
    assert found(page, q="发") == found(page, status="failed") == found(page, type="pdf.extract") == []
    answer = page.get(LIST, {"q": "hello", "tag": "a", "type": "diagnostic.echo", "when": "ended", "to": "2100-01-02"})
    assert [(chip.text, chip.without) for chip in answer.context["filter"].chips] == [
        ("“hello”", "type=diagnostic.echo&tag=a&when=ended&to=2100-01-02"),
        ("Echo", "tag=a&q=hello&when=ended&to=2100-01-02"),
        ("tag a", "type=diagnostic.echo&q=hello&when=ended&to=2100-01-02"),
        ("ended until 2 Jan 2100", "type=diagnostic.echo&tag=a&q=hello&when=ended"),
    ]


def test_days_are_those_of_the_users_zone(page: Client, alice: User, submit: Submit, finished: Finish) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Shanghai")
    early, late = finished(alice, {"text": "early"}), finished(alice, {"text": "late"})
    # Both are of 30 April in UTC.
    for task, hour in ((early, 15), (late, 17)):
        at = datetime(2090, 4, 30, hour, 30, tzinfo=ZoneInfo("UTC"))
        Task.objects.filter(pk=task.pk).update(finished_at=at)
    assert [
        task.pk
        for task in page.get(LIST, {"when": "ended", "from": "2090-05-01", "to": "2090-05-01"}).context["page"].items
    ] == [late.pk]
    assert [task.pk for task in page.get(LIST, {"when": "ended", "to": "2090-04-30"}).context["page"].items] == [
        early.pk
    ]
    assert "Days in Asia/Shanghai." in page.get(LIST).text


def test_task_is_found_by_a_part_of_its_id(
    page: Client, sign_in: SignIn, alice: User, bob: User, submit: Submit
) -> None:
    task = submit(alice, name="mine")
    assert found(page, q=str(task.pk)[:18]) == ["mine"]
    assert found(sign_in(bob), q=str(task.pk)[:18]) == []
    assert page.get(LIST, {"q": str(task.pk)})["Location"] == reverse("web:task", args=[task.pk])


def test_pages_of_a_search_go_on_and_back_to_the_newest(page: Client, alice: User, submit: Submit) -> None:
    for number in range(25):
        submit(alice, name=f"number {number}")
    first = page.get(LIST, {"q": "number"})
    assert "25 tasks" in first.text
    older = page.get(f"{LIST}?{first.context['page'].older}")
    assert [task.content.name for task in older.context["page"].items] == [
        f"number {number}" for number in range(4, -1, -1)
    ]
    assert (older.context["page"].older, older.context["page"].newer) == ("", "q=number")


def test_view_is_saved_used_replaced_and_deleted(
    page: Client, sign_in: SignIn, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(name: str, query: str) -> str:
        return page.post(reverse("web:save-view"), {"name": name, "query": query}, follow=True).text

    assert "Saved as “Failed <PDFs>”.".replace("<", "&lt;").replace(">", "&gt;") in save(
        "Failed <PDFs>", "status=failed&type=pdf.extract&before=x&evil=1"
    )
    view = SavedView.objects.get()
    assert view.query == "status=failed&type=pdf.extract"
    assert 'href="?status=failed&amp;type=pdf.extract"' in page.get(LIST).text
    save("Failed <PDFs>", "status=failed")
    assert SavedView.objects.get().query == "status=failed"
    assert "nothing is filtered" in save("All", "")
    assert "one line of 1 to 200 characters" in save("", "status=failed")
    assert "one line of 1 to 200 characters" in save("a\u202eb", "status=failed")
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    assert "Delete one first" in save("Another", "status=failed")
    address = reverse("web:delete-view", args=[view.pk])
    assert sign_in(bob).post(address).status_code == 404
    assert "Failed" not in sign_in(bob).get(LIST).context["views"].values_list("name", flat=True)
    assert "was deleted" in page.post(address, follow=True).text
    assert not SavedView.objects.exists()
