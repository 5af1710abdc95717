"""The portal's pages and wiring, and the admin with our own index."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"


class PortalAdminConfig(AdminConfig):
    """Django's admin; `tasks.admin.site` is its site."""

    default_site = "tasks.admin.site.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        # Imported late: models are not loaded when this module is.
        from django.contrib.admin import site

        from tasks.admin.screens import register_screens

        register_screens(site)
