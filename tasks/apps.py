"""The tasks app."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Tasks"

    def ready(self) -> None:
        from django.core import checks

        from tasks.cluster.django_q import install
        from tasks.half_migrated import check_half_migrated
        from tasks.outbound import allowed, own_parts
        from tasks.pooler import check_pooler
        from tasks.type_checks import check_queues, check_types

        checks.register(check_types)
        checks.register(check_pooler, checks.Tags.database)
        checks.register(check_queues, checks.Tags.database)
        checks.register(check_half_migrated, checks.Tags.database)
        install.replace_pickle()
        allowed.check_setting()
        own_parts.check_setting()
