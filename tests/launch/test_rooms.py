"""Nothing below the portal takes its tags, templates, addresses or files; the check sees it where something does."""

from __future__ import annotations

import pytest

from portal.launch import rooms
from portal.launch.rooms import Portal

PORTAL = Portal(
    tags=frozenset({"charts"}),
    templates=frozenset({"base.html", "web/parts/header.html"}),
    addresses=frozenset({"web:home", "health-live"}),
    statics=frozenset({"portal/js/live.js", "portal/css/task.css"}),
)


def test_nothing_below_the_portal_uses_what_is_the_portals() -> None:
    portal = rooms.read_portal()
    assert {"base.html", "web/parts/header.html"} <= portal.templates
    assert {"web:home", "health-live"} <= portal.addresses
    assert "admin:index" not in portal.addresses
    assert list(rooms.faults(rooms.PROJECT, portal)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{% load look charts %}",
        "{% load bar from charts %}",
        '{% include "web/parts/header.html" with short=True %}',
        '{% extends "base.html" %}',
        '{% extends "admin/base.html" %}',
        "{% url 'web:home' %}",
        "{% static 'portal/css/task.css' %}",
    ],
)
def test_template_of_the_shared_room_that_looks_up_or_aside_is_named(text: str) -> None:
    assert len(list(rooms.faults_of_template("ui/messages.html", text, PORTAL))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{% load look humanize %}{% include 'ui/mark.html' %}",
        '{% extends "admin/base.html" %}{% extends "admin/change_list.html" %}',
        "{% url 'admin:index' %}{% url 'account_logout' %}",
        "{% static 'admin/css/base.css' %}{% static 'ui/favicon.svg' %}",
    ],
)
def test_admin_uses_its_own_room_the_shared_one_and_other_packages(text: str) -> None:
    assert not list(rooms.faults_of_template("admin/overview.html", text, PORTAL))


@pytest.mark.parametrize(
    "text",
    [
        'render(request, "web/parts/header.html")',
        'reverse("web:home")',
        'urls.reverse_lazy("health-live")',
        'redirect("web:home")',
    ],
)
def test_module_that_names_a_page_of_the_portal_is_named(text: str) -> None:
    assert len(list(rooms.faults_of_module(text, PORTAL))) == 1
    assert not list(rooms.faults_of_module('reverse("admin:index"), "web:home is up"', PORTAL))


@pytest.mark.parametrize(
    "text",
    [
        'import { x } from "../../portal/js/live.js";',
        "import '/static/portal/js/live.js'",
        '@import url("../portal/css/task.css");',
    ],
)
def test_script_or_sheet_that_imports_one_of_the_portal_is_named(text: str) -> None:
    assert len(list(rooms.faults_of_static(text, PORTAL))) == 1
    assert not list(rooms.faults_of_static('import { startPage } from "./page.js";', PORTAL))
