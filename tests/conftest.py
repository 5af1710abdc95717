"""Fixtures of the suite: alice owns, bob is another user, olga operates."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile
from xdist.remote import Producer

from accounts import tokens
from accounts.models import Plan, User
from tasks.kept import forget_all
from tests import midnight, seeds, workers
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK, Receiver, running_receiver
from tests.web.live import LiveServer, environment_of_test

DISTRIBUTED = "PYTEST_XDIST_WORKER" in os.environ

# Every run tries the same cases, here and in CI, however slow the machine is; `make chaos` looks for more, by its seed.
hypothesis_settings.register_profile(
    "suite", derandomize="CHAOS_SECONDS" not in os.environ, deadline=None, database=None
)
hypothesis_settings.load_profile("suite")

# Unless told otherwise httpx gives up after five seconds, which a server may take beside many other processes.
for _part in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _part, 120.0)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    # Workers that see a set in different orders name its tests differently, and then nothing is run at all.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    return workers.count_workers(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> workers.ByGroup:
    return workers.ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # All workers sort alike; without them the order is that of the folders.
    if DISTRIBUTED:
        items.sort(key=lambda item: workers.rank_of(item.nodeid))


def pytest_collection_finish() -> None:
    # What is loaded by now stays until the end: a sixth of the time went into looking for garbage in it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    midnight.wait_for_midnight()
    # What the test before was answered may be kept for half a minute.
    forget_all()
    if DISTRIBUTED:
        workers.give_way(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a process of several tell the others what hostile text its tests have logged: execnet sends UTF-8 only."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As pytest-django's, with a faster way to put the database back to its first rows, right after each test."""
    for way in ("DIRECT", "POOLED"):
        # Behind a pooler, the ways to the database lead to the test's, too.
        connection.settings_dict.get(way, {}).update(NAME=connection.settings_dict["NAME"])
    with django_db_blocker.unblock():
        seeds.keep()
    seeds.serve(connection)
    yield
    # Some sessions of processes that tests have killed may still be there; with them the database cannot be dropped.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def new_tables(db: None) -> None:
    """Tables as the migrations leave them: for tests of plans, and of what statements read.

    Where a test makes its rows by fixtures, this one has to come first: `pytest.mark.usefixtures`.
    """
    seeds.renew()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Make a user with a plan of their own, so that a test may change its limits."""

    def make(name: str, *, plan: str = "Pro", **limits: object) -> User:
        own = Plan.objects.get(name=plan)
        if limits:
            own.pk, own.name, own.is_default = None, f"plan of {name}", False
            for limit, value in limits.items():
                setattr(own, limit, value)
            own.save(force_insert=True)
        return User.objects.create_user(f"{name}@example.com", f"{name}-has-a-password", plan=own, name=name.title())

    return make


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob")


@pytest.fixture
def olga(make_user: Callable[..., User]) -> User:
    user = make_user("olga", plan="Internal")
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    return user


@pytest.fixture(scope="session")
def web_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One web process for all tests: it starts slowly and keeps nothing between requests."""
    folder = tmp_path_factory.mktemp("web")
    live = LiveServer(log=folder / "web.log", environment=environment_of_test(media=folder / "media"))
    yield live
    live.stop()


@pytest.fixture
def server(transactional_db: None, web_process: LiveServer) -> LiveServer:
    """A web process on the test database."""
    return web_process


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A server on loopback that the installation may call."""
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]
    with running_receiver() as server:
        yield server


@pytest.fixture
def token_of(db: None) -> Callable[..., str]:
    """Make an API token with all scopes that the user may have, or with those given."""

    def make(user: User, *scopes: str) -> str:
        allowed = [scope for scope in tokens.ALL_SCOPES if scope != "operate" or user.is_staff]
        return tokens.create_token(user, name="test", scopes=scopes or allowed)

    return make


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_for_once() -> Iterator[None]:
    """Each test client makes the middleware anew, which looks at every static file: longer than most requests take."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, StaticFile] = {}

    def look_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_the_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True)
def _cheap_password_hashes(settings: Any) -> None:
    # The real ones take a third of a second a user, on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _processes_that_tests_start_are_no_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # `portal.asgi` says so in the environment, for the whole process, as soon as one test has imported it.
    monkeypatch.setenv("PORTAL_PROCESS", "command")
