"""DATABASE_URL: read as libpq reads it, several hosts included, and refused with a sentence without the password."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env
from portal.database.connecting import CONNECT_SECONDS, CONNECT_SECONDS_OF_SEVERAL, database_settings

READ: dict[str, dict[str, Any]] = {
    "postgres://portal@/portal": {"USER": "portal", "NAME": "portal", "HOST": "", "PORT": "", "OPTIONS": {}},
    "postgresql://a%40b:p%2F%3A@[::1]:5433/x%20y?sslmode=require": {
        "USER": "a@b", "PASSWORD": "p/:", "HOST": "::1", "PORT": "5433", "NAME": "x y",
        "OPTIONS": {"sslmode": "require"},
    },
    "postgres://portal:a[b@db/portal": {"PASSWORD": "a[b", "HOST": "db"},
    "postgres://portal@/portal?host=/run/postgresql": {"HOST": "/run/postgresql"},
    "postgres://portal@db1:5432,db2:5433/portal": {
        "HOST": "db1,db2", "PORT": "5432,5433", "OPTIONS": {"target_session_attrs": "read-write"},
    },
    "postgres://db1/portal?target_session_attrs=primary": {"OPTIONS": {"target_session_attrs": "primary"}},
}  # fmt: skip
REFUSED = {
    "mysql://portal@db/portal": "must be a postgres:// URL",
    "postgres://portal:SECRET%ZZ@db/portal": "cannot be read.*%25 for %",
    "postgres://portal:SECRET/x@db/portal": "cannot be read.*%2F for /",
    "postgres://portal:x@SECRET:none/portal": "cannot be read.*%40 for @",
    "postgres://portal:SECRET@db/portal?no_such=1": "options that libpq has",
    "postgres://portal:SECRET@db1,db2/portal?target_session_attrs=any": "several hosts and target_session_attrs=any",
    # It may be read-only, and a connection to it would be given up and made anew without end.
    "postgres://portal:SECRET@db1,db2/portal?target_session_attrs=primary": "target_session_attrs=primary",
}


@pytest.mark.parametrize("url", READ)
def test_url_is_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert env.database().items() >= READ[url].items()


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=REFUSED[url]) as refused:
        env.database()
    assert "SECRET" not in str(refused.value)


def test_host_of_several_that_vanished_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for url, seconds in {"postgres://a/x": CONNECT_SECONDS, "postgres://a,b/x": CONNECT_SECONDS_OF_SEVERAL}.items():
        monkeypatch.setenv("DATABASE_URL", url)
        assert database_settings(env.database(), None, process="web")["OPTIONS"]["connect_timeout"] == seconds


@pytest.mark.parametrize(("process", "host"), [("web", "pooler"), ("qcluster", "pooler"), ("command", "db")])
def test_commands_go_past_the_pooler_and_what_lasts_goes_through_it(
    process: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://pooler/x")
    monkeypatch.setenv("DATABASE_DIRECT_URL", "postgres://db/x")
    found = database_settings(env.database(), env.database("DATABASE_DIRECT_URL"), process=process)
    assert found["HOST"] == host
    assert (found["OPTIONS"]["prepare_threshold"] is None) == (host == "pooler")
    assert ("options" in found["OPTIONS"]) == (host == "db")
    assert (found["DIRECT"]["HOST"], found["POOLED"]["HOST"]) == ("db", "pooler")
