"""People are told once of each end that they wished to hear of: by few mails, that they can end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.lifecycle.submit_batch import submit_batch
from tasks.models import Node, Notice, Task
from tasks.notices import tell
from tasks.notices.tell import forget_notices, tell_people
from tasks.notices.wish import wish
from tests.admin.conftest import node
from tests.alarms.mail_server import MailServer, running_mail_server
from tests.api.conftest import Undisturbed
from tests.attempts import run_attempt
from tests.claims import claim_task
from tests.web.conftest import page, sign_in

__all__ = ["node", "page", "sign_in"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ORIGIN = "https://portal.example.com"
Work = Callable[[], None]


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    with running_mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "portal@example.com"
        yield server


@pytest.fixture
def work(node: Node) -> Work:
    """Do what a worker does, until nothing is left."""

    def run() -> None:
        while claimed := claim_task(cluster="default", node=node.pk, pid=os.getpid(), token=uuid4()):
            run_attempt(claimed, Undisturbed())

    return run


def submit(user: User, message: str = "hello there", **options: Any) -> Task:
    return submit_task(user, Submission("diagnostic.echo", {"message": message}, **options)).task


def failing(user: User) -> Task:
    return submit_task(user, Submission("diagnostic.fail", {"mode": "give_up"})).task


def text_of(mails: MailServer, number: int) -> str:
    return str(mails.received[number][1].get_content()).replace("\r", "")


def let_a_minute_pass() -> None:
    Notice.objects.update(told_at=F("told_at") - tell.DISTANCE - timedelta(seconds=1))


def test_end_is_told_once_with_its_name_and_link(alice: User, mails: MailServer, work: Work) -> None:
    task = submit(alice)
    wish(task, origin=ORIGIN)
    wish(task, origin=ORIGIN)
    assert tell_people() == 0, "it has not ended"
    work()
    assert [tell_people(), tell_people()] == [1, 0]
    work()
    [(recipients, mail)] = mails.received
    assert recipients == ["alice@example.com"]
    assert mail["Subject"].startswith("[Portal] hello there: Succeeded after")
    assert f"{ORIGIN}/tasks/{task.pk}" in text_of(mails, 0)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    Notice.objects.update(told_at=F("told_at") - timedelta(days=2))
    assert forget_notices() == 1


def test_mail_is_in_the_language_of_whom_it_is_for(alice: User, mails: MailServer, work: Work) -> None:
    User.objects.filter(pk=alice.pk).update(language="zh-hans")
    alice.refresh_from_db()
    task = submit(alice)
    wish(task, origin=ORIGIN)
    wish(task, origin=ORIGIN)
    assert tell_people() == 0, "it has not ended"
    work()
    assert [tell_people(), tell_people()] == [1, 0]
    work()
    [(_, mail)] = mails.received
    assert "后成功" in mail["Subject"]
    assert "你要求得到通知" in text_of(mails, 0)


def test_thousand_ends_are_few_mails(alice: User, bob: User, mails: MailServer, work: Work) -> None:
    batch = submit_batch(
        alice, [Submission("diagnostic.echo", {"message": f"{n}"}) for n in range(30)], name="Scans"
    ).batch
    wish(batch, origin=ORIGIN)
    tasks = [submit(alice, f"number {number}") for number in range(3)]
    for task in [*tasks, submit(bob)]:
        wish(task, origin=ORIGIN)
    work()
    assert tell_people() == 5
    work()
    assert sorted(recipients[0] for recipients, _ in mails.received) == ["alice@example.com", "bob@example.com"]
    [ours] = [number for number, (to, _) in enumerate(mails.received) if to == ["alice@example.com"]]
    assert mails.received[ours][1]["Subject"] == "[Portal] 4 have ended"
    assert "Scans: all 30 tasks have ended" in text_of(mails, ours)
    # What ends within the minute waits for the next mail.
    for number in range(2):
        wish(submit(alice, f"later {number}"), origin=ORIGIN)
        work()
        assert tell_people() == 0
    let_a_minute_pass()
    assert tell_people() == 2
    work()
    assert len(mails.received) == 3


def test_batch_is_told_when_its_last_task_has_ended(alice: User, mails: MailServer, node: Node, work: Work) -> None:
    batch = submit_batch(
        alice, [Submission("diagnostic.echo", {"message": "a"}), Submission("diagnostic.fail", {"mode": "give_up"})]
    ).batch
    wish(batch, origin=ORIGIN, only_failed=True)
    run_attempt(claim_task(cluster="default", node=node.pk, pid=os.getpid(), token=uuid4()), Undisturbed())
    assert tell_people() == 0
    work()
    assert tell_people() == 1
    work()
    assert "all 2 tasks have ended, 1 without success" in text_of(mails, 0)


def test_what_needs_no_mail_gets_none(alice: User, mails: MailServer, work: Work) -> None:
    succeeded, failed, own = submit(alice), failing(alice), submit(alice)
    for task in (succeeded, failed):
        wish(task, origin=ORIGIN, only_failed=True)
    wish(own, origin=ORIGIN)
    Notice.objects.create(owner=alice, task_id=uuid4(), only_failed=False, origin=ORIGIN)
    cancel_task(own.pk, by=alice, owner=alice)
    work()
    assert tell_people() == 4
    assert list(Notice.objects.values_list("task_id", flat=True)) == [failed.pk], "the rest is done with"


def test_those_behind_more_than_are_looked_at_get_their_turn(
    alice: User, mails: MailServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell, "LIMIT", 2)
    later = submit(alice, run_after=None)
    work()
    for _ in range(3):
        wish(submit(alice), origin=ORIGIN)
    wish(later, origin=ORIGIN)
    assert tell_people() + tell_people() == 1


def test_page_offers_mail_and_the_account_a_default(
    alice: User,
    bob: User,
    page: Client,
    mails: MailServer,
    work: Work,
    settings: Any,
    sign_in: Callable[[User], Client],
) -> None:
    task = submit(alice)
    address, tell_it = reverse("web:task", args=[task.pk]), reverse("web:tell", args=[task.pk])
    assert "Tell me by e-mail" in page.get(address).text
    assert page.post(tell_it, {"tell": "yes"}).status_code == 302
    assert "A mail comes when it ends" in page.get(address).text
    assert sign_in(bob).post(tell_it, {"tell": "no"}).status_code == 404
    page.post(tell_it, {"tell": "no"})
    assert not Notice.objects.exists()
    page.post(reverse("web:account"), {"name": "Alice", "time_zone": "", "mail_when": "ended"})
    page.post(reverse("web:quick"), {"type": "diagnostic.echo", "text": "A haiku"})
    assert Notice.objects.get().origin == "http://testserver"
    batch = submit_batch(alice, [Submission("diagnostic.echo", {"message": f"{n}"}) for n in range(2)]).batch
    of_batch = reverse("web:batch", args=[batch.pk])
    assert "Tell me by e-mail" in page.get(of_batch).text
    assert sign_in(bob).post(reverse("web:tell-batch", args=[batch.pk]), {"tell": "yes"}).status_code == 404
    page.post(reverse("web:tell-batch", args=[batch.pk]), {"tell": "yes"})
    assert "A mail comes when it ends" in page.get(of_batch).text
    page.post(reverse("web:tell-batch", args=[batch.pk]), {"tell": "no"})
    settings.EMAIL_HOST = ""
    assert "e-mail" not in page.get(of_batch).text.lower()
    assert "e-mail" not in page.get(address).text.lower()
    assert "mail_when" not in page.get(reverse("web:account")).text
    page.post(tell_it, {"tell": "yes"})
    page.post(reverse("web:quick"), {"type": "diagnostic.echo", "text": "Another haiku"})
    assert Notice.objects.count() == 1


def test_link_in_a_mail_ends_all_mails_without_signing_in(alice: User, mails: MailServer, work: Work) -> None:
    alice.mail_when = "ended"
    alice.save(update_fields=["mail_when"])
    wish(submit(alice), origin="")
    work()
    tell_people()
    work()
    link = re.search(r"/unsubscribe/\S+", text_of(mails, 0))
    assert link is not None
    wish(submit(alice), origin="")
    anybody = Client(enforce_csrf_checks=True)
    assert "This ends all mails" in anybody.get(link[0]).text
    assert Notice.objects.filter(told_at=None).exists(), "scanners of mail open every link"
    assert anybody.post(link[0], {"List-Unsubscribe": "One-Click"}).status_code == 200
    alice.refresh_from_db()
    assert alice.mail_when == ""
    assert not Notice.objects.filter(told_at=None).exists()
    assert anybody.get(f"{link[0]}x").status_code == 404
