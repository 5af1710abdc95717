"""Signing in while others guess: two web processes behind a proxy, which says who its clients are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from accounts.models import Pace, User
from tests.web.live import LiveServer, environment_of_test

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

STRANGER, ALICES, OFFICE = "203.0.113.66", "192.0.2.1", "192.0.2.200"


@pytest.fixture(scope="session")
def web_processes(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LiveServer]]:
    folder = tmp_path_factory.mktemp("sign-in")
    environment = environment_of_test(media=folder / "media") | {"TRUSTED_PROXIES": "127.0.0.1"}
    with ExitStack() as stack:
        running = []
        for number in range(2):
            log, module = folder / f"web{number}.log", ("tests.accounts.cheap_server",)
            running.append(LiveServer(log=log, environment=environment, module=module))
            stack.callback(running[-1].stop)
        yield running


@pytest.fixture
def servers(transactional_db: None, web_processes: list[LiveServer]) -> list[LiveServer]:
    return web_processes


Open = Callable[..., "Browser"]


class Browser:
    """A browser at an address, whose requests reach one process after the other."""

    def __init__(self, servers: list[LiveServer], address: str, *, invented: str = "") -> None:
        self._servers = servers
        self._turn = 0
        # A proxy adds the address that it sees to what the client sent.
        headers = {"X-Forwarded-For": f"{invented}, {address}" if invented else address}
        self.wire = httpx.Client(headers=headers, timeout=30)

    def _post(self, path: str, data: dict[str, str]) -> httpx.Response:
        server = self._servers[self._turn % len(self._servers)]
        self._turn += 1
        page = self.wire.get(server.url + path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None, page.text
        return self.wire.post(server.url + path, data=data | {"csrfmiddlewaretoken": token[1]})

    def sign_in(self, email: str, password: str) -> httpx.Response:
        return self._post("/account/login/", {"login": email, "password": password})

    def change_password(self, old: str) -> httpx.Response:
        given = {"oldpassword": old, "password1": "another-long-word-7", "password2": "another-long-word-7"}
        return self._post("/account/password/change/", given)

    def sign_out(self) -> None:
        self.wire.cookies.delete("sessionid")


@pytest.fixture
def browser(servers: list[LiveServer]) -> Iterator[Open]:
    """Give a browser at an address, which knows nothing yet."""
    with ExitStack() as opened:

        def open_one(address: str, *, invented: str = "") -> Browser:
            made = Browser(servers, address, invented=invented)
            opened.enter_context(made.wire)
            return made

        yield open_one


def password_of(user: User) -> str:
    return f"{user.email.partition('@')[0]}-has-a-password"


def guess(guessing: Browser, user: User, times: int) -> list[int]:
    """Guess so often; return how each was answered."""
    return [guessing.sign_in(user.email, f"wrong-{number}").status_code for number in range(times)]


def test_guesses_at_one_account_are_slowed_over_all_processes(browser: Open, alice: User) -> None:
    stranger = browser(STRANGER)
    statuses = guess(stranger, alice, 12)
    assert statuses[:5] == [200] * 5
    assert statuses.count(429) >= 4
    # The right one is refused like all others: else the answer would tell.
    refused = stranger.sign_in(alice.email, password_of(alice))
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many tries. Try again in" in refused.text


def test_invented_address_escapes_nothing(browser: Open, alice: User) -> None:
    statuses = [guess(browser(STRANGER, invented=f"198.51.100.{n}"), alice, 1)[0] for n in range(10)]
    assert 429 in statuses


def test_stranger_who_guesses_locks_nobody_else_out(browser: Open, alice: User, bob: User) -> None:
    stranger = browser(STRANGER)
    guess(stranger, alice, 8)
    # Another account, another address, the same account from elsewhere: each goes on.
    assert browser(ALICES).sign_in(bob.email, password_of(bob)).status_code == 302
    assert browser(OFFICE).sign_in(alice.email, password_of(alice)).status_code == 302


def test_few_addresses_keep_no_new_browser_out(browser: Open, alice: User) -> None:
    strangers = [browser(f"198.51.100.{number}") for number in range(5)]
    # More than there are free tries for all of them together, and they go on.
    statuses = [status for _ in range(3) for stranger in strangers for status in guess(stranger, alice, 8)]
    assert statuses.count(200) >= 20
    assert [guess(stranger, alice, 2)[-1] for stranger in strangers] == [429] * 5
    new = browser(ALICES)
    assert new.sign_in(alice.email, "mistyped").status_code == 200
    assert new.sign_in(alice.email, password_of(alice)).status_code == 302


def test_known_browser_signs_in_while_strangers_hammer_the_account(browser: Open, alice: User) -> None:
    own = browser(ALICES)
    assert own.sign_in(alice.email, password_of(alice)).status_code == 302
    own.sign_out()
    # From very many addresses, one of them alice's own.
    for number in range(30):
        guess(browser(f"198.51.100.{number}"), alice, 1)
    guess(browser(ALICES), alice, 8)
    # On a busy machine one or the other finds that a wait is over, and makes the next twice as long.
    assert 429 in [guess(browser(f"203.0.113.{number}"), alice, 1)[0] for number in range(8)]
    assert own.sign_in(alice.email, "mistyped").status_code == 200
    assert own.sign_in(alice.email, password_of(alice)).status_code == 302


def test_known_browser_is_known_for_its_own_account_only(browser: Open, alice: User, bob: User) -> None:
    stranger = browser(STRANGER)
    assert stranger.sign_in(bob.email, password_of(bob)).status_code == 302
    stranger.sign_out()
    assert 429 in guess(stranger, alice, 12)


def test_known_browser_guesses_no_faster_for_long(browser: Open, alice: User) -> None:
    own = browser(ALICES)
    assert own.sign_in(alice.email, password_of(alice)).status_code == 302
    own.sign_out()
    assert 429 in guess(own, alice, 16)


def test_right_passwords_count_for_nothing(browser: Open, alice: User) -> None:
    for _ in range(8):
        # Each time a browser that was never seen before.
        assert browser(OFFICE).sign_in(alice.email, password_of(alice)).status_code == 302


def test_old_password_is_not_guessed_by_a_stolen_session(browser: Open, alice: User) -> None:
    own = browser(ALICES)
    own.sign_in(alice.email, password_of(alice))
    statuses = [own.change_password(f"wrong-{number}").status_code for number in range(16)]
    assert statuses[0] == 200
    assert 429 in statuses
    alice.refresh_from_db()
    assert alice.check_password(password_of(alice))


def test_admin_has_no_door_of_its_own(servers: list[LiveServer], browser: Open, olga: User) -> None:
    stranger = browser(STRANGER)
    guess(stranger, olga, 12)
    wire = stranger.wire
    page = wire.post(f"{servers[0].url}/admin/login/", data={"username": olga.email, "password": password_of(olga)})
    # Without a token of ours Django refuses it; with one the admin sends to the portal's page. Neither signs in.
    assert page.status_code in (302, 403)
    assert "sessionid" not in wire.cookies
    assert stranger.sign_in(olga.email, password_of(olga)).status_code == 429


def test_counters_hold_no_names_and_no_addresses(browser: Open, alice: User) -> None:
    guess(browser(STRANGER), alice, 1)
    rows = list(Pace.objects.all())
    assert len(rows) == 4
    assert all(len(bytes(row.key)) == 32 for row in rows)
