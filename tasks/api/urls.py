"""The addresses of the API."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path

from tasks.api.views import batches, docs, files, quota, task, task_parts, task_types, tasks

app_name = "api"


def unknown(_request: HttpRequest, path: str) -> HttpResponse:
    """Keep what is below /api and not ours away from the portal's pages."""
    raise Http404


urlpatterns = [
    path("v1/tasks", tasks.TasksView.as_view(), name="tasks"),
    path("v1/tasks/<uuid:task_id>", task.TaskView.as_view(), name="task"),
    path("v1/tasks/<uuid:task_id>/cancel", task.CancelView.as_view(), name="cancel"),
    path("v1/tasks/<uuid:task_id>/retry", task.RetryView.as_view(), name="retry"),
    path("v1/tasks/<uuid:task_id>/attempts", task_parts.AttemptsView.as_view(), name="attempts"),
    path("v1/tasks/<uuid:task_id>/events", task_parts.EventsView.as_view(), name="events"),
    path("v1/tasks/<uuid:task_id>/result", task_parts.ResultView.as_view(), name="result"),
    path("v1/task-types", task_types.TaskTypesView.as_view(), name="task-types"),
    path("v1/task-types/<str:name>", task_types.TaskTypeView.as_view(), name="task-type"),
    path("v1/files", files.FilesView.as_view(), name="files"),
    path("v1/files/<uuid:file_id>", files.FileView.as_view(), name="file"),
    path("v1/files/<uuid:file_id>/content", files.FileContentView.as_view(), name="file-content"),
    path("v1/batches", batches.BatchesView.as_view(), name="batches"),
    path("v1/batches/<uuid:batch_id>", batches.BatchView.as_view(), name="batch"),
    path("v1/quota", quota.QuotaView.as_view(), name="quota"),
    path("schema", docs.SchemaView.as_view(), name="schema"),
    path("docs", docs.DocsView.as_view(url_name="api:schema"), name="docs"),
    path("docs/problems/<slug:code>", docs.problem_page, name="problem"),
    re_path(r"^(?P<path>.*)$", unknown),
]
