"""The user, known by an e-mail address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy

from accounts.models.plan import Plan


class MailWhen(models.TextChoices):
    """When somebody wants a mail without asking for each."""

    NEVER = "", gettext_lazy("only when I ask for it")
    FAILED = "failed", gettext_lazy("when one fails")
    ENDED = "ended", gettext_lazy("when one ends")


class UserManager(BaseUserManager["User"]):
    """Makes users; the plan is the default one unless given."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user.

        Raises:
            ValueError: no e-mail address.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        fields.setdefault("plan", Plan.objects.get(is_default=True))
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a program's account. Disabling one (`is_active`) holds their tasks and revokes tokens."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="users")
    time_zone = models.CharField(
        max_length=64, blank=True, help_text=gettext_lazy("As in the tz database; empty: the portal's.")
    )
    # Of the settings' LANGUAGES; one that is no more means the same as none.
    language = models.CharField(max_length=16, blank=True, db_default="", default="")
    is_active = models.BooleanField(gettext_lazy("active"), default=True)
    is_staff = models.BooleanField(
        gettext_lazy("operator"), default=False, help_text=gettext_lazy("May sign in to the admin.")
    )
    date_joined = models.DateTimeField(db_default=Now())
    mail_when = models.CharField(
        gettext_lazy("E-mail"),
        max_length=10,
        blank=True,
        choices=MailWhen.choices,
        db_default="",
        help_text=gettext_lazy("About tasks that you submit on these pages."),
    )
    # What ended before was seen, and of the rest these tasks and batches, as their pages were looked at.
    ended_seen_at = models.DateTimeField(db_default=Now())
    ended_seen = ArrayField(models.UUIDField(), db_default=models.Value([], ArrayField(models.UUIDField())))

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "account"
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_once")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]
