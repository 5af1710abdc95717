"""What administrators do at a shell: users, plans, tokens, queues, purging; noted as the admin's actions are."""

from __future__ import annotations

import getpass
import io
import json
import socket
import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.limits import limits_of
from accounts.models import Plan, User
from accounts.tokens import create_token, find_token
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import AuditEntry, Lane, Queue, Task, TaskContent

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def manage(*words: str) -> str:
    output = StringIO()
    call_command(*words, stdout=output)
    return output.getvalue().strip()


def read(*words: str) -> Any:
    return json.loads(manage(*words, "--json"))


def noted() -> list[tuple[str, str, str]]:
    """Return what the audit log says, the oldest first, and take it that each entry names who did it."""
    entries = list(AuditEntry.objects.order_by("pk"))
    by = f"{getpass.getuser()} on {socket.gethostname()}"
    assert {(entry.actor, entry.details["command_by"]) for entry in entries} <= {(None, by)}
    return [(entry.action, entry.target_kind, entry.target_id) for entry in entries]


def submit(user: User) -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": "a"})).task


def test_user_is_made_listed_and_gets_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    assert manage("user", "add", "Carol@Example.com", "--name", "Carol", "--plan", "vip") == (
        "carol@example.com is made, with the plan VIP."
    )
    carol = User.objects.get(email="carol@example.com")
    assert carol.check_password("correct horse battery")
    row = next(row for row in read("user", "list") if row["email"] == carol.email)
    assert (row["name"], row["plan"], row["active"], row["operator"]) == ("Carol", "VIP", True, False)
    submit(carol)
    manage("user", "plan", carol.email, "Free")
    assert Lane.objects.get(user=carol).slots == limits_of(User.objects.get(pk=carol.pk)).slots == 2
    assert noted() == [("add", "user", str(carol.pk)), ("change", "user", str(carol.pk))]


def test_user_for_programs_has_no_password() -> None:
    manage("user", "add", "robot@example.com", "--no-password")
    assert not User.objects.get(email="robot@example.com").has_usable_password()


def test_held_user_starts_nothing_until_released(alice: User) -> None:
    token = create_token(alice, name="test", scopes=["tasks:read"])
    task = submit(alice)
    assert manage("user", "hold", "ALICE@example.com") == "alice@example.com is held."
    task.refresh_from_db()
    assert (task.status, find_token(token)) == ("held", None)
    assert "Nothing was changed" in manage("user", "hold", alice.email)
    manage("user", "release", alice.email)
    task.refresh_from_db()
    assert task.status == "ready"
    assert noted() == [("hold", "user", str(alice.pk)), ("release", "user", str(alice.pk))]


def test_token_is_made_listed_and_revoked(alice: User) -> None:
    token = manage("token", "add", alice.email, "nightly", "--scope", "tasks:read", "--scope", "files", "--days", "7")
    found = find_token(token)
    assert found is not None
    assert (found.user, found.scopes) == (alice, ["tasks:read", "files"])
    [row] = read("token", "list", alice.email)
    assert (row["id"], row["name"], row["revoked"]) == (found.pk, "nightly", None)
    secret = token.rpartition("_")[2]
    assert secret not in manage("token", "list", alice.email)
    manage("token", "revoke", found.pk)
    assert find_token(token) is None
    assert "Nothing was changed" in manage("token", "revoke", token)
    assert noted() == [("add", "apitoken", found.pk), ("revoke", "apitoken", found.pk)]
    assert secret not in repr(list(AuditEntry.objects.values()))


def test_plan_changes_the_lanes_of_its_users(alice: User) -> None:
    submit(alice)
    assert manage("plan", "set", "Pro", "slots=7", "per_day=none") == "The plan Pro has now: slots 7, per_day none."
    assert Lane.objects.get(user=alice).slots == 7
    row = next(row for row in read("plan", "list") if row["name"] == "Pro")
    assert (row["slots"], row["per_day"]) == (7, None)
    assert noted() == [("change", "plan", str(Plan.objects.get(name="Pro").pk))]


def test_queue_is_paused_and_opened(alice: User) -> None:
    task = submit(alice)
    queue = task.queue_id
    manage("queue", "pause", queue, "--reason", "new model")
    row = next(row for row in read("queue", "list") if row["queue"] == queue)
    assert (row["paused"], row["reason"], row["held"], row["ready"]) == (True, "new model", 1, 0)
    manage("queue", "resume", queue)
    assert Queue.objects.get(pk=queue).paused_at is None
    task.refresh_from_db()
    assert task.status == "ready"
    assert noted() == [("pause", "queue", queue), ("resume", "queue", queue)]


def test_purge_says_how_many_and_does_it_when_told(alice: User, bob: User) -> None:
    ended = [submit(alice), submit(bob), submit(alice)]
    Task.objects.filter(pk__in=[task.pk for task in ended]).update(status="cancelled", finished_at="2020-01-01T00:00Z")
    running = submit(alice)
    assert read("purge", "--days", "30", "--user", alice.email) == {"tasks": 2, "purged": False}
    assert TaskContent.objects.count() == 4
    assert manage("purge", "--days", "30", "--user", alice.email, "--yes") == "2 tasks were purged."
    assert set(TaskContent.objects.values_list("task", flat=True)) == {ended[1].pk, running.pk}
    assert read("purge", "--days", "30", "--yes") == {"tasks": 1, "purged": True}
    assert sorted(noted()) == sorted(("purge", "task", str(task.pk)) for task in ended)


def test_purge_leaves_what_an_unfinished_task_needs(alice: User) -> None:
    needed, other = submit(alice), submit(alice)
    waiting = submit_task(alice, Submission("diagnostic.echo", {"message": "a"}, needs=[needed.pk])).task
    long_ago = "2020-01-01T00:00Z"
    Task.objects.filter(pk__in=[needed.pk, other.pk]).update(status="cancelled", finished_at=long_ago)
    assert read("purge", "--days", "30", "--yes") == {"tasks": 1, "purged": True}
    assert set(TaskContent.objects.values_list("task", flat=True)) == {needed.pk, waiting.pk}
    Task.objects.filter(pk=waiting.pk).update(status="cancelled", finished_at=long_ago)
    assert read("purge", "--days", "30", "--yes") == {"tasks": 2, "purged": True}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["user", "add", "nobody"], "nobody is no e-mail address."),
        (["user", "add", "alice@example.com"], "There is a user with the address alice@example.com."),
        (["user", "add", "new@example.com", "--plan", "Gold"], "There is no plan Gold. There are: "),
        (["user", "add", "new@example.com"], "This password is too short."),
        (["user", "add", "new@example.com", "--name", "x" * 151, "--no-password"], "at most 150 characters"),
        (["user", "hold", "nobody@example.com"], "There is no user with the address nobody@example.com."),
        (["token", "add", "alice@example.com", "a", "--scope", "operate"], "Only operators can have tokens"),
        (["token", "add", "alice@example.com", "a\nb", "--scope", "files"], "A name is one line of at most 100"),
        (["token", "add", "alice@example.com", "a", "--scope", "files", "--days", "0"], "--days is between"),
        (["token", "revoke", "ptl_nothing"], "There is no token of this id."),
        (["plan", "set", "Pro", "slots"], "Write LIMIT=VALUE, not 'slots'."),
        (["plan", "set", "Pro", "id=3"], "Write LIMIT=VALUE, not 'id=3'."),
        (["plan", "set", "Pro", "slots=many"], "slots: “many” value must be an integer."),
        (["plan", "set", "Pro", "slots=none"], "slots: This field cannot be null."),
        (["plan", "set", "Pro", "weight=0"], "weight: Ensure this value is greater than or equal to 0.1."),
        (["queue", "pause", "nowhere"], "There is no queue nowhere."),
        (["queue", "pause", "text", "--reason", "x" * 201], "A reason has at most 200 characters."),
        (["purge", "--days", "-1"], "--days is between 0 and 36,500."),
        (["purge", "--days", "999999999"], "--days is between 0 and 36,500."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_with_a_sentence(
    alice: User, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError) as refused:
        manage(*words)
    assert sentence in str(refused.value)
    assert noted() == []
