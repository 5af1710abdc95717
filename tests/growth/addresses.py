"""Every list and screen, with every filter that it offers: found by walking the code, so that none can be forgotten.

Operators' lists are followed by their own links of filters, the API's by the parameters of its document, the portal's
pages by its addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.test import Client
from django.urls import NoReverseMatch, reverse
from drf_spectacular.generators import SchemaGenerator

from portal.web import urls as web_urls
from portal.web.forms.task_filter import TABS
from tests.growth.world import ODD_CODE, ODD_QUEUE, ODD_TAG, ODD_TYPE, World

PARAMETER = re.compile(r"{(\w+)}")
# Values of a filter that is open-ended: the common one, the rare one, one that nothing has.
VALUES = {
    "type": ("diagnostic.echo", ODD_TYPE, "nothing"),
    "queue": ("diagnostics", ODD_QUEUE, "nothing"),
    "tag": ("common", ODD_TAG, "nothing"),
    "q": (ODD_TAG, "common", "alice", "@", "tag:common", f"tag:{ODD_TAG}", "01234567"),
    "error": ("unreadable_file", ODD_CODE, "nothing"),
    # The world numbers them.
    "cause": ("1", "2", "999"),
    "node": ("worker-1", "nothing"),
    "ended_after": ("2020-01-01T00:00",),
    "ended_before": ("2020-01-01T00:00", "2100-01-01T00:00"),
    "period": ("hour", "day", "week", "month"),
}
TELLING = {
    ODD_TYPE, ODD_QUEUE, ODD_TAG, ODD_CODE, "succeeded", "failed", "queued", "expired", "running", "week", "odd", "2",
}  # fmt: skip
# What takes no list, but a thing: its value is that of the world.
NAMED = {"task": "task_id", "batch": "batch_id", "endpoint": "endpoint_id"}
# Answers that do not end.
STREAMS = {"/api/v1/events"}
OF_TIME = {"created_after": "2020-01-01T00:00:00Z", "created_before": "2020-01-01T00:00:00Z"}


def admin_addresses(client: Client, world: World, *, with_pairs: bool) -> Iterator[str]:
    """Yield the lists of every screen: bare, with each filter, each pair of filters, each kind of search."""
    yield reverse("admin:index")
    yield reverse("admin:types")
    for period in VALUES["period"]:
        yield f"{reverse('admin:failures')}?period={period}"
    for cause in VALUES["cause"]:
        yield reverse("admin:tasks_cause_change", args=[cause])
    for model, screen in admin.site._registry.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield path
        offered = _offered(client, path, screen, world)
        for query in _products(offered, with_pairs=with_pairs):
            yield f"{path}?{query}"
        for ordering in _orderings(client, path):
            yield f"{path}?{ordering}"


def _offered(client: Client, path: str, screen: Any, world: World) -> dict[str, set[str]]:
    """Return the values of each filter, by the links that the page itself has."""
    page = _changelist(client, path)
    offered: dict[str, set[str]] = {}
    for filter_class in screen.list_filter:
        for name in (getattr(filter_class, "parameter_name", None), *getattr(filter_class, "parameter_names", ())):
            if name in VALUES:
                offered[name] = set(VALUES[name])
            elif name in NAMED:
                offered[name] = {world.things[NAMED[name]]}
    for spec in page.filter_specs:
        for choice in spec.choices(page):
            for name, value in parse_qsl(choice["query_string"].lstrip("?")):
                if name not in VALUES:
                    offered.setdefault(name, set()).add(value)
    if screen.search_fields:
        offered["q"] = set(VALUES["q"])
    return offered


def _changelist(client: Client, path: str) -> Any:
    """Return the list of a screen; that of one with a single row leads to its form."""
    answer = client.get(path)
    return _NoList() if answer.status_code == HTTPStatus.FOUND else answer.context["cl"]


class _NoList:
    filter_specs: Sequence[Any] = ()


def _orderings(client: Client, path: str) -> Iterator[str]:
    page = _changelist(client, path)
    if isinstance(page, _NoList):
        return
    for header in result_headers(page):
        if header.get("sortable"):
            yield str(header["url_primary"]).lstrip("?")


def _products(offered: dict[str, set[str]], *, with_pairs: bool) -> Iterator[str]:
    """Yield queries with each value, and with pairs of values of two filters, where they tell most."""
    pairs = [(name, value) for name, values in sorted(offered.items()) for value in sorted(values)]
    for pair in pairs:
        yield urlencode([pair])
    if not with_pairs:
        return
    telling = [pair for pair in pairs if pair[1] in TELLING or len(offered[pair[0]]) < 3]
    for one, other in combinations(telling, 2):
        if one[0] != other[0] and not {one[0], other[0]} & {"limit", "days"}:
            yield urlencode([one, other])


def api_addresses(world: World, *, with_pairs: bool) -> Iterator[str]:
    """Yield every GET of the document: bare, with each parameter, each pair of them."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    for path, operations in document["paths"].items():
        if "get" not in operations or path in STREAMS:
            continue
        parameters = [_resolved(document, one) for one in operations["get"].get("parameters", [])]
        try:
            address = PARAMETER.sub(lambda found: world.things[found[1]], path)
        except KeyError:
            continue
        yield address
        offered = {
            one["name"]: values
            for one in parameters
            if one["in"] == "query" and (values := _values(one, document, world))
        }
        if "metadata" in {one["name"] for one in parameters}:
            offered["metadata[customer]"] = {"common", "odd", "nothing"}
        for query in _products(offered, with_pairs=with_pairs):
            yield f"{address}?{query}"


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _values(parameter: dict[str, Any], document: dict[str, Any], world: World) -> set[str]:
    name = parameter["name"]
    if name in VALUES:
        return set(VALUES[name])
    if name in NAMED:
        return {world.things[NAMED[name]]}
    if name in OF_TIME:
        return {OF_TIME[name]}
    schema = _resolved(document, parameter.get("schema", {}))
    if schema.get("type") == "array":
        schema = _resolved(document, schema["items"])
    if "enum" in schema:
        return {str(value) for value in schema["enum"]}
    return {"priority": {"5", "2", "9"}, "limit": {"100"}, "days": {"1", "90"}}.get(name, set())


def web_addresses(world: World, *, with_pairs: bool) -> Iterator[str]:
    """Yield every page of the portal; the list of tasks with its tabs and filters."""
    for pattern in web_urls.urlpatterns:
        names = list(pattern.pattern.converters)
        if pattern.name is None or not set(names) <= world.things.keys():
            continue
        try:
            yield reverse(f"web:{pattern.name}", kwargs={name: world.things[name] for name in names})
        except NoReverseMatch:
            continue
    offered = {"status": {name for name in TABS if name}} | {name: set(VALUES[name]) for name in ("type", "tag", "q")}
    for query in _products(offered, with_pairs=with_pairs):
        yield f"{reverse('web:tasks')}?{query}"
