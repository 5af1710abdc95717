"""Files, limits and tokens of both clients against the live server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tasks.client import Client, errors
from tests.client.both import Connect

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_client_lists_links_and_deletes_files(portal: Client) -> None:
    first = portal.upload(b"some notes", name="notes.txt", idempotency_key="once")
    assert portal.upload(b"some notes", name="notes.txt", idempotency_key="once")["id"] == first["id"]
    other = portal.upload(b"other notes")
    assert [file["id"] for file in portal.files()] == [other["id"], first["id"]]
    assert portal.get_file(first["id"])["name"] == "notes.txt"
    link = portal.link(first["id"], expires_in="2h")
    assert httpx.get(link["url"]).text == "some notes"
    portal.delete_file(first["id"])
    with pytest.raises(errors.NotFound):
        portal.get_file(first["id"])


def test_client_makes_and_revokes_tokens(portal: Client, live_server: Any, connect: Connect) -> None:
    made = portal.make_token("import", ["tasks:read"], expires_at="2100-01-01T00:00:00Z", idempotency_key="once")
    again = portal.make_token("import", ["tasks:read"], expires_at="2100-01-01T00:00:00Z", idempotency_key="once")
    assert (again["id"], again["token"]) == (made["id"], None)
    assert portal.get_token(made["id"])["scopes"] == ["tasks:read"]
    assert made["id"] in [token["id"] for token in portal.tokens()]
    with connect(live_server.url, made["token"]) as narrow:
        assert list(narrow.iter()) == []
        with pytest.raises(errors.MissingScope):
            narrow.submit("diagnostic.echo", {"message": "x"})
        portal.revoke_token(made["id"])
        with pytest.raises(errors.InvalidToken):
            narrow.quota()


def test_client_knows_queues_and_usage(portal: Client) -> None:
    names = [queue["name"] for queue in portal.queues()]
    assert portal.queue(names[0])["name"] == names[0]
    assert portal.usage(7)["data"] == []
    with pytest.raises(errors.InvalidParameter):
        portal.usage(days=1000)


def test_client_previews_and_keeps(portal: Client) -> None:
    found = portal.preview("diagnostic.echo", {"message": "x"}, priority=8)
    assert found["cost"]["high-day"] == 1
    assert portal.quota()["held"] == 0
    task = portal.submit("diagnostic.echo", {"message": "x"}, timeout="2m", keep="12h")
    assert portal.get(task["id"])["timeout"] == 120


def test_client_reads_what_was_tried_and_said(portal: Client) -> None:
    task = portal.submit("diagnostic.echo", {"message": "x"})
    assert (list(portal.attempts(task["id"])), list(portal.events(task["id"]))) == ([], [])
    batch = portal.batch([{"type": "diagnostic.echo", "input": {"message": "x"}}])
    assert [found["id"] for found in portal.batches()] == [batch["id"]]
