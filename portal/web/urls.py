"""The user's pages."""

from django.urls import path

from portal.web.views import account, files, home, new, schedules, status, task, tasks, tokens, usage

app_name = "web"

urlpatterns = [
    path("", home.home, name="home"),
    path("new", new.choose_type, name="new"),
    path("new/quick", new.submit_quickly, name="quick"),
    path("new/<str:type_name>", new.submit, name="submit"),
    path("tasks", tasks.list_tasks, name="tasks"),
    path("tasks/bulk", tasks.act_on_many, name="bulk"),
    path("tasks/<uuid:task_id>", task.show, name="task"),
    path("tasks/<uuid:task_id>/events", task.read_events, name="task-events"),
    path("tasks/<uuid:task_id>/cancel", task.cancel, name="cancel"),
    path("tasks/<uuid:task_id>/retry", task.retry, name="retry"),
    path("tasks/<uuid:task_id>/result.json", task.download_result, name="result"),
    path("tasks/<uuid:task_id>/text.txt", task.download_text, name="result-text"),
    path("tasks/<uuid:task_id>/tables/<int:number>.csv", task.download_table, name="table"),
    path("schedules", schedules.list_schedules, name="schedules"),
    path("schedules/new", schedules.choose_type, name="new-schedule"),
    path("schedules/new/<str:type_name>", schedules.create, name="schedule-type"),
    path("schedules/<uuid:schedule_id>", schedules.show, name="schedule"),
    path("schedules/<uuid:schedule_id>/run", schedules.run, name="run-schedule"),
    path("schedules/<uuid:schedule_id>/pause", schedules.pause, name="pause-schedule"),
    path("schedules/<uuid:schedule_id>/resume", schedules.resume, name="resume-schedule"),
    path("schedules/<uuid:schedule_id>/delete", schedules.delete, name="delete-schedule"),
    path("files", files.list_files, name="files"),
    path("files/upload", files.upload, name="upload"),
    path("files/<uuid:file_id>", files.download, name="file"),
    path("files/<uuid:file_id>/picture", files.show_picture, name="picture"),
    path("files/<uuid:file_id>/delete", files.delete, name="delete-file"),
    path("tokens", tokens.list_tokens, name="tokens"),
    path("tokens/<str:token_id>/revoke", tokens.revoke, name="revoke"),
    path("usage", usage.show, name="usage"),
    path("settings", account.show, name="account"),
    path("status", status.show, name="status"),
    # Nothing here sends e-mail: allauth's pages that would are answered by one that says so. portal/urls.py
    # includes this module before allauth, so that these win.
    path("account/password/reset/", account.no_mail, name="no-mail"),
    path("account/email/", account.no_mail),
]
