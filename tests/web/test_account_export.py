"""All that is kept of a user comes as one ZIP, to nobody else, however much it is."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tokens import create_token
from tasks.api import account_export
from tasks.files import store_file
from tasks.models import Batch, SavedView, Share, WebhookEndpoint
from tests.web.conftest import Submit

pytestmark = pytest.mark.django_db

ADDRESS = reverse("web:export-account")


def lines(archive: zipfile.ZipFile, name: str) -> list[Any]:
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


def test_archive_has_all_of_its_owner_and_nothing_of_others(
    page: Client, alice: User, bob: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pages end in the middle of what there is.
    monkeypatch.setattr(account_export, "BIG_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(account_export, "ROWS_AT_ONCE", 1)
    own = [str(submit(alice, task_input={"message": f"{number} 汉字"}).pk) for number in range(5)]
    submit(bob)
    store_file(bob, name="bobs.txt", chunks=[b"bob"])
    files = [store_file(alice, name=name, chunks=[name.encode()]) for name in ("a.txt", "../b.txt", "gone.txt")]
    files[2].data.delete(save=False)
    batches = [Batch.objects.create(owner=owner, name=f"of {owner}", items=[]) for owner in (alice, alice, alice, bob)]
    SavedView.objects.create(owner=alice, name="failed ones", query="status=failed")
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://hooks.example.com/x", events=[], secret="sealed"
    )
    share = Share.objects.create(owner=alice, task_id=own[0], secret_sha256="digested", expires_at=timezone.now())
    secret = create_token(alice, name="laptop", scopes=["tasks:read"])
    page.post(reverse("account_reauthenticate"), {"password": "alice-has-a-password"})
    response = page.get(ADDRESS)
    assert "attachment" in response.headers["Content-Disposition"]
    assert response.headers["Cache-Control"] == "no-store"
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # of a test client's answer
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert [task["id"] for task in lines(archive, "tasks.ndjson")] == own[::-1]
    assert lines(archive, "tasks.ndjson")[0]["input"] == {"message": "4 汉字"}
    assert lines(archive, "profile.json")[0]["email"] == alice.email
    assert [token["name"] for token in lines(archive, "tokens.ndjson")] == ["laptop"]
    assert [batch["id"] for batch in lines(archive, "batches.ndjson")] == [str(one.pk) for one in batches[2::-1]]
    assert [view["query"] for view in lines(archive, "saved_views.ndjson")] == ["status=failed"]
    assert [one["id"] for one in lines(archive, "webhook_endpoints.ndjson")] == [str(endpoint.pk)]
    assert [one["id"] for one in lines(archive, "shares.ndjson")] == [str(share.pk)]
    assert archive.read(f"files/{files[0].pk}/a.txt") == b"a.txt"
    assert f"files/{files[2].pk}/gone.txt.missing.txt" in archive.namelist()
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"bobs.txt" not in everything
    assert not any(word.encode() in everything for word in (secret.rpartition("_")[2], "sealed", "digested"))
    assert not any(".." in name.split("/") for name in archive.namelist())


def test_session_alone_is_not_enough(page: Client) -> None:
    response = page.get(ADDRESS)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_reauthenticate"))
