"""The tasks app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = gettext_lazy("Tasks")

    def ready(self) -> None:
        from django.core import checks

        from accounts.model_names import translate_names
        from tasks.cluster.django_q import install
        from tasks.half_migrated import check_half_migrated
        from tasks.outbound import allowed, own_parts
        from tasks.pooler import check_pooler
        from tasks.type_checks import check_queues, check_types

        translate_names(self)
        checks.register(check_types)
        checks.register(check_pooler, checks.Tags.database)
        checks.register(check_queues, checks.Tags.database)
        checks.register(check_half_migrated, checks.Tags.database)
        install.replace_pickle()
        allowed.check_setting()
        own_parts.check_setting()
