"""API tokens: `ptl_<id>_<secret>`, of which only the secret's sha256 is stored."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy


class Scope(models.TextChoices):
    """What a token may do."""

    TASKS_READ = "tasks:read", gettext_lazy("read tasks")
    TASKS_WRITE = "tasks:write", gettext_lazy("submit, cancel and retry tasks")
    FILES = "files", gettext_lazy("upload and download files")
    WEBHOOKS = "webhooks", gettext_lazy("manage webhooks")
    ACCOUNT = "account", gettext_lazy("read quota and usage, manage tokens")
    OPERATE = "operate", gettext_lazy("operators' API; only for operators")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> ApiTokenQuerySet:
        """Not revoked, not expired, and of an active user."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """A credential of a program. The secret is shown once, when it is made."""

    id = models.CharField(primary_key=True, max_length=16)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    secret_sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "api_token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} (ptl_{self.id}_…)"
