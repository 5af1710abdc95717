"""Every address of the admin as everybody, asked and posted to, with rows and without; every form, misused.

Nothing here names a page: addresses come from the resolver, buttons and fields from the pages themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import resolve

from accounts.models import User
from tasks.models import AuditEntry, Node
from tests.admin.everything import addresses, make_everything
from tests.admin.reading import Field, Form, Page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# What Python and the settings call things, and what no page says to people. Where a browser posts no form at all,
# Django names the hidden fields that it misses.
REPR = re.compile(
    r"\bNone\b(?!\.)|\bTrue\b|\bFalse\b|\{'|\['|'\]|<[\w.]+ object|__proxy__|datetime\.|UUID\(|Decimal\(|\b\w+Error\b"
    r"|Traceback \(|\b(?!\w+_FORMS\b)[A-Z][A-Z]+_[A-Z_]+\b"
)
# Codes: words with underscores. Those that stand in `code` and `pre` are meant to be codes.
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")
# What shows the same when it is posted nothing.
LISTS = (*(f"/{model._meta.model_name}/" for model in admin.site._registry), "/history/")
# As machines write: times, sizes in bytes and other long numbers, floats. Ids are written in parts.
RAW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:|\d\.\d{5,}|(?<![\w.,-])\d{8,18}(?![\w-])")
LONG = "x" * 10_000
TEXTS = ["", LONG, "a\0b"]
NUMBERS = ["", "-1", "99999999999", "1e400"]
VALUES = {
    "number": NUMBERS, "vDateField": ["", "0001-01-01", "9999-12-31"], "vTimeField": ["23:59:59"],
    "checkbox": ["on"], "checked": [""], "hidden": ["", "a\0b"], "submit": [],
}  # fmt: skip


@dataclass
class People:
    """Who looks: signed in, by the name of what they are."""

    clients: dict[str, Client]


@pytest.fixture
def people(bob: User, make_operator: Callable[[str], User], olga: User, signed_in: Callable[[User], Client]) -> People:
    groups = {group: signed_in(make_operator(group)) for group in ("viewer", "operator", "administrator")}
    clients = {"user": signed_in(bob)} | groups | {"superuser": signed_in(olga)}
    for client in clients.values():
        client.raise_request_exception = False
    return People(clients)


@pytest.fixture
def everything(alice: User, bob: User, node: Node, make_user: Callable[..., User]) -> User:
    make_everything(alice, bob, make_user("held"), node)
    return alice


def faults_of(who: str, what: str, response: Any, page: Page | None = None) -> Iterator[str]:
    """Yield what is wrong with an answer, whatever it is to; `page` is what it says, if that was read already."""
    if response.status_code >= 500 or response.status_code == 400:
        yield f"{who} {what}: {response.status_code} {getattr(response, 'exc_info', None)}"
        return
    if response.status_code < 300 and "html" not in response.headers["Content-Type"]:
        return
    if response.status_code in {301, 302}:
        return
    words = (page or Page(response.text)).text
    for pattern in (REPR, CODE, RAW):
        for found in pattern.finditer(words):
            line = words[max(0, found.start() - 30) : found.end() + 30].replace("\n", "|")
            yield f"{who} {what}: {found[0]!r} in “{line}”"
    for stock in ('alt="False"', 'alt="True"', ":</label>"):
        if stock in response.text:
            yield f"{who} {what}: {stock}, as Django draws it"
    if response.status_code >= 400 and who != "user" and "site-nav" not in response.text:
        yield f"{who} {what}: {response.status_code} without the operators' navigation"


def test_every_screen_has_a_row_in_this_test(everything: User, olga: User) -> None:
    assert [model for model in admin.site._registry if not model._default_manager.exists()] == []


def test_every_address_answers_everybody(people: People, everything: User) -> None:
    """Asked first, then posted to: what is shown is allowed, and those who may only look change nothing."""
    faults: list[str] = []
    codes: dict[tuple[str, str], int] = {}
    links: dict[tuple[str, str], str] = {}

    def ask(who: str, method: str, address: str) -> None:
        response = getattr(people.clients[who], method)(address)
        page = None
        if method == "get":
            codes[who, address] = response.status_code
            if response.status_code == 200 and "html" in response.headers["Content-Type"]:
                page = Page(response.text, address)
                links.update({(who, link): address for link in links_of(page)})
        faults.extend(faults_of(who, f"{method.upper()} {address}", response, page))

    few, every = ([*dict.fromkeys(addresses(of_all=of_all))] for of_all in (False, True))
    for who in people.clients:
        for address in every if who == "superuser" else few:
            ask(who, "get", address)
    for (who, link), page in list(links.items()):
        if (who, link) not in codes:
            ask(who, "get", link)
        if codes[who, link] in {403, 404}:
            faults.append(f"{who} is shown {link} on {page}, and answered {codes[who, link]}")
    entries = AuditEntry.objects.count()
    for who in ("user", "viewer", "operator", "administrator"):
        for address in few:
            # A list that is posted nothing is the list.
            if not address.endswith(LISTS):
                ask(who, "post", address)
        if who in {"user", "viewer"}:
            assert AuditEntry.objects.count() == entries, f"{who} changed something"
    for address in few:
        if address.endswith(("/change/", *LISTS)):
            ask("superuser", "get", address)
    assert {code for (who, _), code in codes.items() if who == "user"} <= {302, 403, 404}
    assert faults == []


def test_every_field_takes_or_refuses_whatever_is_posted(people: People, everything: User) -> None:
    """One field of one form at a time, as a browser would post the rest; what is taken must not break a page."""
    client, faults = people.clients["superuser"], list[str]()
    seen: set[tuple[str, str]] = set()
    for address in [*dict.fromkeys(addresses(of_all=False))]:
        if address.endswith(("/delete/", "/logout/")):
            continue
        response = client.get(address)
        if response.status_code != 200:
            continue
        for form in Page(response.text, address).forms:
            action = urljoin(address, form.action)
            if form.method != "post" or not action.startswith("/admin/"):
                continue
            for field in form.fields:
                kind = (resolve(action.partition("?")[0]).view_name, re.sub(r"\d+", "", field.name))
                if kind in seen or field.name in {"csrfmiddlewaretoken"}:
                    continue
                seen.add(kind)
                for value in VALUES.get(field.kind, TEXTS):
                    faults += post_one(client, address, action, form, field, value)
    assert faults == []


def post_one(client: Client, address: str, action: str, form: Form, field: Field, value: str) -> Iterator[str]:
    """Post a form with one value changed, and yield what is wrong with the answer or with the pages from then on."""
    what = f"POST {action} {field.name}={value[:20]!r}"
    response = client.post(action, form.data | {field.name: value})
    yield from faults_of("superuser", what, response)
    if response.status_code == 302:
        yield from faults_of("superuser", f"{what}, then", client.get(address))


def test_every_address_answers_where_there_is_nothing(people: People) -> None:
    faults: list[str] = []
    for who in ("viewer", "administrator"):
        for address in dict.fromkeys(addresses(of_all=False)):
            faults += faults_of(who, f"GET {address}", people.clients[who].get(address))
    assert faults == []


def links_of(page: Page) -> Iterator[str]:
    """Yield the addresses of the admin that the page leads to, without what filters and sorts a list."""
    for link in page.links:
        parts = urlsplit(urljoin(page.address, link))
        if parts.path.startswith("/admin/") and not parts.netloc:
            yield parts.path
