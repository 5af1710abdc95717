"""Where the compatibility routes are: addresses of their own, and what the portal's own addresses hand over.

`COMPAT_ROUTES` says which systems have any; without one nothing of this is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import update_wrapper
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from tasks.api.compat import system_a, system_c, system_d

View = Callable[..., HttpResponseBase]

SYSTEMS: dict[str, tuple[URLPattern, ...]] = {
    "A": (
        path("async/analyze-image", system_a.AnalyzeImageView.as_view(), name="compat-a-analyze-image"),
        path("async/complete-answer", system_a.CompleteAnswerView.as_view(), name="compat-a-complete-answer"),
        path("async/query", system_a.QueryView.as_view(), name="compat-a-query"),
        path("async/task/<uuid:task_id>", system_a.TaskViewA.as_view(), name="compat-a-task"),
        path("queue/stats", system_a.QueueStatsView.as_view(), name="compat-a-stats"),
        path("health", system_a.health, name="compat-a-health"),
    ),
    "C": (
        path("v1/image/async", system_c.ImageView.as_view(), name="compat-c-image"),
        path("v1/speech/async", system_c.SpeechView.as_view(), name="compat-c-speech"),
        path("v1/results/<uuid:task_id>", system_c.result_bytes, name="compat-c-result"),
    ),
    "D": (),
}


def routes(systems: Collection[str]) -> list[URLPattern]:
    """Return the addresses that only these systems' clients use."""
    return [pattern for letter in systems for pattern in SYSTEMS[letter]]


def tasks_view(own: View, systems: Collection[str]) -> View:
    """Return the view of /tasks, which hands over system C's poll and system D's submission."""
    prompt_view = system_d.PromptView.as_view()

    def view(request: HttpRequest) -> HttpResponseBase:
        if "C" in systems and system_c.reads_task(request):
            return system_c.poll(request)
        if "D" in systems and system_d.submits_prompt(request):
            return prompt_view(request)
        return own(request)

    return _like(view, own) if systems else own


def task_view(own: View, systems: Collection[str]) -> View:
    """Return the view of /tasks/{id}, which hands over what system D's clients submitted."""

    def view(request: HttpRequest, task_id: UUID) -> HttpResponseBase:
        if system_d.reads_prompt(request, task_id):
            return system_d.poll(request, task_id)
        return own(request, task_id=task_id)

    return _like(view, own) if "D" in systems else own


def _like(view: View, own: View) -> View:
    # DRF marks its views (csrf_exempt, cls), and drf-spectacular finds them by these marks.
    return update_wrapper(view, own)
