"""The accounts app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = gettext_lazy("Accounts")

    def ready(self) -> None:
        from django.core import checks

        from accounts.model_names import translate_names
        from accounts.second_factor import check_staff

        translate_names(self)
        checks.register(check_staff, checks.Tags.database)
