"""What the page of a user shows beside the user: changed limits, API tokens, lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import ApiToken, PlanOverride, User
from tasks.admin.formats import link_button, moment
from tasks.admin.user_forms import OverrideForm
from tasks.models import Lane
from tasks.ui.badge import status_badge

if TYPE_CHECKING:
    Inline = admin.TabularInline
else:

    class Inline(admin.TabularInline):
        """A `TabularInline` that can be subscripted as its stubs say."""

        def __class_getitem__(cls, _models: object) -> type[Inline]:
            return cls


class OverrideInline(Inline[PlanOverride, User]):
    model = PlanOverride
    fk_name = "user"
    form = OverrideForm
    extra = 0
    verbose_name = "changed limit"
    verbose_name_plural = "limits changed for this user"


class ReadOnlyInline(Inline[Any, User]):
    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TokenInline(ReadOnlyInline):
    """The tokens of a user; their secrets are known to nobody."""

    model = ApiToken
    fields = ("name", "public_id", "may", "created", "last_used", "expires", "standing")
    readonly_fields = fields
    verbose_name_plural = "API tokens"

    @admin.display(description="id")
    def public_id(self, token: ApiToken) -> SafeString:
        return format_html("<code>ptl_{}_…</code>", token.pk)

    @admin.display(description="scopes")
    def may(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="created")
    def created(self, token: ApiToken) -> SafeString | str:
        return moment(token.created_at)

    @admin.display(description="last used")
    def last_used(self, token: ApiToken) -> SafeString | str:
        return moment(token.last_used_at)

    @admin.display(description="expires")
    def expires(self, token: ApiToken) -> SafeString | str:
        return moment(token.expires_at)

    @admin.display(description="status")
    def standing(self, token: ApiToken) -> SafeString:
        if token.revoked_at:
            return status_badge("revoked")
        if token.expires_at and token.expires_at <= timezone.now():
            return status_badge("past")
        return link_button(reverse("admin:accounts_user_revoke", args=[token.user_id, token.pk]), "Revoke")


class LaneInline(ReadOnlyInline):
    model = Lane
    fields = ("cluster", "slots", "taken", "weight")
    readonly_fields = fields
    verbose_name_plural = "lanes"
