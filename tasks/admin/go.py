"""Going to a task, a person, a queue, a type or a screen by typing: a page of its own, and what the palette shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from tasks.admin import sections
from tasks.admin.search import read_search
from tasks.figures.bounded import bounded_queries
from tasks.models import Batch, Node, Queue, Task
from tasks.registry import all_types
from tasks.ui.sentences import in_language
from tasks.ui.words import look_of_status, title_of_type

MOST_OF_A_KIND = 6
MOST_TEXT = 200


class Hit(NamedTuple):
    """A place to go to: its kind, what it is called, and what else is said of it."""

    kind: str
    title: str
    url: str
    note: str = ""


class GoView:
    """One address: with `part=1` only the hits, for the palette."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the hits; what can only be one place is gone to at once, where a page was asked for."""
        text = request.GET.get("q", "").replace("\0", "").strip()[:MOST_TEXT]
        is_part = "part" in request.GET
        with bounded_queries():
            hits = find_hits(request, text)
        if len(hits) == 1 and text and not is_part:
            return HttpResponseRedirect(hits[0].url)
        context = {"hits": hits, "text": text}
        if is_part:
            return TemplateResponse(request, "admin/go/hits.html", context)
        return TemplateResponse(
            request, "admin/go/page.html", self.site.each_context(request) | context | {"title": gettext("Go to")}
        )


def find_hits(request: HttpRequest, text: str) -> list[Hit]:
    """Return where the person may go; where nothing was typed, all screens. Each kind has an index, or is short."""
    wanted = text.casefold()
    found = [*_tasks(request, text), *_screens(request, wanted)]
    if wanted:
        found += [*_users(request, wanted), *_queues(request, wanted), *_types(request, wanted)]
        found += [*_nodes(request, wanted), *_searches(request, text)]
    return found


def _screens(request: HttpRequest, wanted: str) -> Iterator[Hit]:
    screens = [sections.overview(request)]
    screens += [section for group in sections.section_groups(request) for section in group.sections]
    return (Hit(gettext("Screen"), screen.title, screen.url) for screen in screens if wanted in screen.title.casefold())


def _tasks(request: HttpRequest, text: str) -> Iterator[Hit]:
    search = read_search(text)
    if search.ids is None:
        return
    if request.user.has_perm("tasks.view_task"):
        for task in Task.objects.filter(search.condition).select_related("owner").order_by("-pk")[:MOST_OF_A_KIND]:
            note = f"{title_of_type(task.type)} · {look_of_status(task.shown_status).label} · {task.owner.email}"
            yield Hit(gettext("Task"), str(task.pk), reverse("admin:tasks_task_change", args=[task.pk]), note)
    if request.user.has_perm("tasks.view_batch"):
        for batch in Batch.objects.filter(pk__range=search.ids).select_related("owner")[:MOST_OF_A_KIND]:
            yield Hit(
                gettext("Batch"),
                str(batch.pk),
                reverse("admin:tasks_batch_change", args=[batch.pk]),
                batch.owner.email,
            )


def _users(request: HttpRequest, wanted: str) -> Iterator[Hit]:
    if request.user.has_perm("accounts.view_user"):
        people = User.objects.filter(Q(email__icontains=wanted) | Q(name__icontains=wanted)).order_by("email")
        for user in people[:MOST_OF_A_KIND]:
            yield Hit(gettext("User"), user.email, reverse("admin:accounts_user_change", args=[user.pk]), user.name)


def _queues(request: HttpRequest, wanted: str) -> Iterator[Hit]:
    if request.user.has_perm("tasks.view_queue"):
        titles = [(queue, in_language(queue.title)) for queue in Queue.objects.order_by("pk")]
        found = [one for one in titles if any(wanted in text.casefold() for text in (one[0].pk, one[0].title, one[1]))]
        for queue, title in found[:MOST_OF_A_KIND]:
            note = gettext("paused") if queue.paused_at else ""
            yield Hit(gettext("Queue"), title, reverse("admin:tasks_queue_change", args=[queue.pk]), note)


def _types(request: HttpRequest, wanted: str) -> Iterator[Hit]:
    if request.user.has_perm("tasks.view_task"):
        found = [name for name in all_types() if wanted in name or wanted in title_of_type(name).casefold()]
        for name in found[:MOST_OF_A_KIND]:
            yield Hit(gettext("Tasks of a type"), title_of_type(name), _tasks_url(type=name), name)


def _nodes(request: HttpRequest, wanted: str) -> Iterator[Hit]:
    if request.user.has_perm("tasks.view_node"):
        nodes = Node.objects.filter(Q(name__icontains=wanted) | Q(host__icontains=wanted))
        for node in nodes.order_by("-heartbeat_at")[:MOST_OF_A_KIND]:
            yield Hit(gettext("Node"), node.name, reverse("admin:tasks_node_change", args=[node.pk]), node.host)


def _searches(request: HttpRequest, text: str) -> Iterator[Hit]:
    if request.user.has_perm("tasks.view_task") and read_search(text).ids is None:
        yield Hit(gettext("Search"), gettext("Tasks with the tag {tag}").format(tag=text), _tasks_url(q=f"tag:{text}"))
        yield Hit(gettext("Search"), gettext("Tasks of users like {text}").format(text=text), _tasks_url(q=text))


def _tasks_url(**filters: str) -> str:
    return f"{reverse('admin:tasks_task_changelist')}?{urlencode(filters)}"
