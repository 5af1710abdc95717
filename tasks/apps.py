"""The tasks app."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Tasks"

    def ready(self) -> None:
        from tasks.cluster import install
        from tasks.outbound import allowed

        install.replace_pickle()
        allowed.check_setting()
