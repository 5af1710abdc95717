"""The portal's pages and wiring, and the admin with our own index."""

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig

from portal.media_folder import close_media_folder
from tasks import error_reports, tracing


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        is_command = settings.PORTAL_PROCESS == "command"
        tracing.start(settings.OTEL_ENDPOINT, settings.OTEL_SERVICE_NAME, load=not is_command)
        error_reports.start(
            settings.SENTRY_DSN, release=settings.PORTAL_VERSION, environment=settings.SENTRY_ENVIRONMENT
        )
        # Commands may run under another account; what serves and works owns the files.
        if not is_command:
            close_media_folder(Path(settings.MEDIA_ROOT), settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS)


class PortalAdminConfig(AdminConfig):
    """Django's admin; `tasks.admin.site` is its site."""

    default_site = "tasks.admin.site.PortalAdminSite"

    def ready(self) -> None:
        super().ready()
        # Imported late: models are not loaded when this module is.
        from django.contrib.admin import site

        from tasks.admin.screens import register_screens

        register_screens(site)
