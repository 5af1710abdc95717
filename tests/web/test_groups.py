"""Lists show a batch, and a task with those that it started, as one row each, which unfolds without a script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Batch, Task
from tests.web.conftest import SignIn, Submit

pytestmark = pytest.mark.django_db

LIST = reverse("web:tasks")


def make_batch(user: User, count: int = 3, name: str = "") -> Batch:
    echoes = [Submission("diagnostic.echo", {"message": f"message {number} of it"}) for number in range(count)]
    return submit_batch(user, echoes, name=name).batch


def start_children(parent: Task, count: int) -> None:
    """Make tasks look as if this one had started them, without running it."""
    for number in range(count):
        child = submit_task(parent.owner, Submission("diagnostic.echo", {"message": f"child {number} of it"})).task
        Task.objects.filter(pk=child.pk).update(started_by=parent.pk)


def links(text: str) -> list[str]:
    return re.findall(r'id="row-([0-9a-f-]{36})"', text)


def test_batch_and_starter_are_one_row_each_in_the_order_of_submission(
    page: Client, alice: User, submit: Submit
) -> None:
    first = submit(alice, task_input={"message": "a task alone"})
    batch = make_batch(alice, 30)
    parent = submit(alice, task_input={"message": "a task with others"})
    start_children(parent, 2)
    shown = page.get(LIST).text
    assert links(shown) == [str(parent.pk), str(batch.pk), str(first.pk)]
    assert "message 0 of it + 29 more" in shown
    assert "Batch of 30 tasks · Echo · 0 ended" in shown
    assert "child 0" not in shown
    home = page.get(reverse("web:home")).text
    assert set(links(home)) == {str(parent.pk), str(batch.pk), str(first.pk)}
    assert len(links(home)) == 3


def test_row_unfolds_by_a_link_and_stays_so_when_the_list_is_renewed(page: Client, alice: User, submit: Submit) -> None:
    batch = make_batch(alice, 30)
    parent = submit(alice)
    start_children(parent, 2)
    [toggle] = re.findall(rf'id="unfold-{batch.pk}" href="([^"]+)"', page.get(LIST).text)
    unfolded = page.get(LIST + toggle.partition("#")[0], headers={"HX-Request": "true"}).text
    assert len(links(unfolded)) == 22
    assert "All 30" in unfolded
    assert f"open={batch.pk}" in re.search(r'hx-get="([^"]+)" hx-trigger', unfolded)[1]
    assert "child 1" in page.get(LIST, {"open": str(parent.pk)}).text
    assert page.get(LIST, {"open": "nonsense"}).status_code == 200


def test_filtered_list_shows_what_it_finds_in_the_row_that_it_belongs_to(
    page: Client, alice: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    batch = make_batch(alice, 5, name="Scans")
    finish.finish_attempt(claim(), ending.succeeded({}))
    parent = submit(alice)
    start_children(parent, 1)
    assert links(page.get(LIST, {"status": "succeeded"}).text) == [str(batch.pk)]
    assert set(links(page.get(LIST, {"status": "unfinished"}).text)) == {str(batch.pk), str(parent.pk)}


def test_pages_of_tasks_and_batches_lead_on_without_a_gap(page: Client, alice: User, submit: Submit) -> None:
    mixed = [make_batch(alice, 1).pk if number % 3 else submit(alice).pk for number in range(40)]
    expected = [str(pk) for pk in [*mixed, *(submit(alice).pk for _ in range(40))]][::-1]
    first = page.get(LIST).text
    assert links(first) == expected[:50]
    [older] = re.findall(r'href="\?([^"]+)" rel="next"', first)
    second = page.get(f"{LIST}?{older}").text
    assert links(second) == expected[50:]
    [newer] = re.findall(r'href="\?([^"]+)" rel="prev"', second)
    assert links(page.get(f"{LIST}?{newer}").text) == expected[:50]


def test_nobody_unfolds_the_batch_of_another(sign_in: SignIn, alice: User, bob: User) -> None:
    batch = make_batch(alice, name="secret")
    assert "secret" not in sign_in(bob).get(LIST, {"open": str(batch.pk)}).text
