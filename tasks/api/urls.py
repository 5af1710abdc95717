"""The addresses of the API."""

from __future__ import annotations

from typing import NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt

from tasks import errors
from tasks.api.compat import urls as compat
from tasks.api.views import (
    batch_files,
    batches,
    deliveries,
    docs,
    events,
    files,
    queues,
    quota,
    result_files,
    schedules,
    shares,
    task,
    task_parts,
    task_types,
    tasks,
    tokens,
    usage,
    webhooks,
)

app_name = "api"

MOST_SHOWN = 200


# As all plain views here: Django looks at the CSRF token first, and would answer 403 for 404 and 405.
@csrf_exempt
def unknown(request: HttpRequest, path: str) -> NoReturn:
    """Keep what is below /api and not ours away from the portal's pages.

    Raises:
        NotFound: always; it names the address without its last slash where there is one.
    """
    shorter = request.path.rstrip("/")
    hint = f" Without the slash at the end there is: {shorter}" if _is_known(shorter) else ""
    raise errors.NotFound(f"There is no address {request.path[:MOST_SHOWN]} here.{hint}")


def _is_known(address: str) -> bool:
    try:
        return resolve(address).func is not unknown
    except Resolver404:
        return False


urlpatterns = [
    path("v1/tasks", compat.tasks_view(tasks.TasksView.as_view(), settings.COMPAT_ROUTES), name="tasks"),
    path("v1/tasks/<uuid:task_id>", compat.task_view(task.TaskView.as_view(), settings.COMPAT_ROUTES), name="task"),
    path("v1/tasks/<uuid:task_id>/cancel", task.CancelView.as_view(), name="cancel"),
    path("v1/tasks/<uuid:task_id>/retry", task.RetryView.as_view(), name="retry"),
    path("v1/tasks/<uuid:task_id>/copy", task.CopyView.as_view(), name="copy"),
    path("v1/tasks/<uuid:task_id>/attempts", task_parts.AttemptsView.as_view(), name="attempts"),
    path("v1/tasks/<uuid:task_id>/events", task_parts.EventsView.as_view(), name="events"),
    path("v1/tasks/<uuid:task_id>/result", task_parts.ResultView.as_view(), name="result"),
    path("v1/tasks/<uuid:task_id>/result/document.md", result_files.MarkdownView.as_view(), name="result-markdown"),
    path("v1/tasks/<uuid:task_id>/result/tables.xlsx", result_files.WorkbookView.as_view(), name="result-workbook"),
    path(
        "v1/tasks/<uuid:task_id>/result/tables/<int:table_number>.csv",
        result_files.TableView.as_view(),
        name="result-table",
    ),
    path("v1/events", events.UserEventsView.as_view(), name="user-events"),
    path("v1/task-types", task_types.TaskTypesView.as_view(), name="task-types"),
    path("v1/task-types/<str:name>", task_types.TaskTypeView.as_view(), name="task-type"),
    path("v1/files", files.FilesView.as_view(), name="files"),
    path("v1/files/<uuid:file_id>", files.FileView.as_view(), name="file"),
    path("v1/files/<uuid:file_id>/content", files.FileContentView.as_view(), name="file-content"),
    path("v1/files/<uuid:file_id>/link", files.FileLinkView.as_view(), name="file-link"),
    path("v1/batches", batches.BatchesView.as_view(), name="batches"),
    path("v1/batches/<uuid:batch_id>", batches.BatchView.as_view(), name="batch"),
    path("v1/batches/<uuid:batch_id>/cancel", batches.CancelBatchView.as_view(), name="cancel-batch"),
    path("v1/batches/<uuid:batch_id>/retry", batches.RetryBatchView.as_view(), name="retry-batch"),
    path("v1/batches/<uuid:batch_id>/results", batches.BatchResultsView.as_view(), name="batch-results"),
    path("v1/batches/<uuid:batch_id>/results.zip", batch_files.BatchArchiveView.as_view(), name="batch-archive"),
    path("v1/batches/<uuid:batch_id>/tables.csv", batch_files.BatchTablesView.as_view(), name="batch-tables"),
    path("v1/batches/<uuid:batch_id>/tables.xlsx", batch_files.BatchWorkbookView.as_view(), name="batch-workbook"),
    path("v1/schedules", schedules.SchedulesView.as_view(), name="schedules"),
    path("v1/schedules/<uuid:schedule_id>", schedules.ScheduleView.as_view(), name="schedule"),
    path("v1/schedules/<uuid:schedule_id>/run", schedules.RunScheduleView.as_view(), name="run-schedule"),
    path("v1/schedules/<uuid:schedule_id>/pause", schedules.PauseScheduleView.as_view(), name="pause-schedule"),
    path("v1/schedules/<uuid:schedule_id>/resume", schedules.ResumeScheduleView.as_view(), name="resume-schedule"),
    path("v1/schedules/<uuid:schedule_id>/runs", schedules.ScheduleRunsView.as_view(), name="schedule-runs"),
    path("v1/shares", shares.SharesView.as_view(), name="shares"),
    path("v1/shares/<uuid:share_id>", shares.ShareView.as_view(), name="share"),
    path("v1/quota", quota.QuotaView.as_view(), name="quota"),
    path("v1/usage", usage.UsageView.as_view(), name="usage"),
    path("v1/tokens", tokens.TokensView.as_view(), name="tokens"),
    path("v1/tokens/<str:token_id>", tokens.TokenView.as_view(), name="token"),
    path("v1/queues", queues.QueuesView.as_view(), name="queues"),
    path("v1/queues/<str:queue_name>", queues.QueueView.as_view(), name="queue"),
    path("v1/webhook-endpoints", webhooks.EndpointsView.as_view(), name="webhook-endpoints"),
    path("v1/webhook-endpoints/<uuid:endpoint_id>", webhooks.EndpointView.as_view(), name="webhook-endpoint"),
    path(
        "v1/webhook-endpoints/<uuid:endpoint_id>/test",
        deliveries.EndpointTestView.as_view(),
        name="test-webhook-endpoint",
    ),
    path(
        "v1/webhook-endpoints/<uuid:endpoint_id>/rotate-secret",
        webhooks.RotateSecretView.as_view(),
        name="rotate-webhook-secret",
    ),
    path("v1/webhook-deliveries", deliveries.DeliveriesView.as_view(), name="webhook-deliveries"),
    path("v1/webhook-deliveries/<uuid:delivery_id>", deliveries.DeliveryView.as_view(), name="webhook-delivery"),
    path(
        "v1/webhook-deliveries/<uuid:delivery_id>/redeliver",
        deliveries.RedeliverView.as_view(),
        name="redeliver",
    ),
    path("schema", docs.SchemaView.as_view(), name="schema"),
    path("docs", docs.DocsView.as_view(url_name="api:schema"), name="docs"),
    path("docs/problems/<slug:code>", docs.problem_page, name="problem"),
    *compat.routes(settings.COMPAT_ROUTES),
    re_path(r"^(?P<path>.*)$", unknown),
]
