"""The operators' screens in Chinese: of everything that they show, nothing of theirs is left in English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from tasks.models import File, Node, Queue
from tests.admin.everything import addresses, make_everything
from tests.leftovers import leftovers

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CHINESE = "zh-hans"
# What the test made, people would have written, and groups are called. Names of permissions are rows of Django's.
NAMES = {
    "The page could not be read.", "The file is “odd” <b>.", "Little is left.", "It said 500.", "a private result",
    "an old token", "Held", "a deadline", "a holiday", "It is known.",
    "diagnostic.echo every day", "operator", "viewer", "administrator",
    # Of Django's templates, which do not translate it.
    "Search", "Change or view list link",
    # An entry of the audit log as it is stored.
    "cancel", "task",
    # Queues are called as the operators like; the first ones came with the installation.
    "audio", "Audio", "diagnostics", "Diagnostics", "documents", "Documents", "images", "Images", "system", "System",
    "text", "Text",
}  # fmt: skip


def test_no_english_is_left_on_an_operators_screen(
    alice: User, bob: User, make_user: Callable[..., User], olga: User, node: Node, signed_in: Callable[[User], Client]
) -> None:
    make_everything(alice, bob, make_user("held"), node)
    User.objects.filter(pk=olga.pk).update(language=CHINESE)
    client = signed_in(olga)
    found = []
    for path in addresses(of_all=False):
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            texts = leftovers(answer.text, CHINESE, names=NAMES)
            found += [f"{path}: {text}" for text in texts if " | Can " not in text]
    assert not found, "\n".join(dict.fromkeys(found))


def test_what_columns_say_of_their_own_is_in_the_readers_language(
    alice: User, node: Node, olga: User, signed_in: Callable[[User], Client]
) -> None:
    User.objects.filter(pk=olga.pk).update(language=CHINESE)
    client = signed_in(olga)
    Node.objects.create(
        id=uuid4(), name="n2", cluster_id="default", host="h", pid=1, version="0", workers=1, status="lost",
        stopped_at=Now() - timedelta(minutes=5, seconds=30),
    )  # fmt: skip
    File.objects.create(owner=alice, name="a.pdf", size=12, content_type="application/pdf", sha256="0" * 64, data="x")
    Queue.objects.filter(pk="images").update(paused_at=Now(), paused_reason="new weights")
    nodes = client.get("/admin/tasks/node/").text
    assert "5 分钟前 · 当时没有运行任何任务" in nodes
    assert "刚刚" in nodes
    assert "当时没有运行任何任务" in client.get("/admin/").text
    assert ">上传<" in client.get("/admin/tasks/file/").text
    assert "new weights · 自 <time" in client.get("/admin/tasks/queue/").text
    # A queue is found by its name, by its title as it is stored, and as the reader sees it.
    for text in ("images", "Images", "图像"):
        hits = client.get("/admin/go/", {"part": 1, "q": text}).context["hits"]
        assert [(hit.title, hit.note) for hit in hits if hit.kind == "队列"] == [("图像", "已暂停")], text
