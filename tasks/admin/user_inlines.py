"""What the page of a user shows beside the user: changed limits, API tokens, lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

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


class Overrides(BaseInlineFormSet[Any, User, Any] if TYPE_CHECKING else BaseInlineFormSet):  # type: ignore[misc]
    default_error_messages = BaseInlineFormSet.default_error_messages | {
        "missing_management_form": gettext_lazy("The form came back incomplete. Reload the page, and send it again.")
    }


class OverrideInline(Inline[PlanOverride, User]):
    model = PlanOverride
    formset = Overrides
    fk_name = "user"
    form = OverrideForm
    extra = 0
    verbose_name = gettext_lazy("changed limit")
    verbose_name_plural = gettext_lazy("limits changed for this user")


class ShownOnly(BaseInlineFormSet[Any, User, Any] if TYPE_CHECKING else BaseInlineFormSet):  # type: ignore[misc]
    """Rows that are shown and never posted: what a form brings of them is not read."""

    def __init__(self, data: Any = None, files: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.new_objects: list[Any] = []
        self.changed_objects: list[Any] = []
        self.deleted_objects: list[Any] = []

    def is_valid(self) -> bool:
        return True

    def has_changed(self) -> bool:
        return False

    def save(self, commit: bool = True) -> list[Any]:
        return []


class ReadOnlyInline(Inline[Any, User]):
    formset = ShownOnly
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
    verbose_name_plural = gettext_lazy("API tokens")
    # Each page has its own; who may revoke is not known to a field otherwise.
    may_revoke = False

    def get_queryset(self, request: HttpRequest) -> Any:
        self.may_revoke = request.user.has_perm("accounts.change_user")
        return super().get_queryset(request)

    @admin.display(description=gettext_lazy("id"))
    def public_id(self, token: ApiToken) -> SafeString:
        return format_html("<code>ptl_{}_…</code>", token.pk)

    @admin.display(description=gettext_lazy("scopes"))
    def may(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=gettext_lazy("created"))
    def created(self, token: ApiToken) -> SafeString | str:
        return moment(token.created_at)

    @admin.display(description=gettext_lazy("last used"))
    def last_used(self, token: ApiToken) -> SafeString | str:
        return moment(token.last_used_at)

    @admin.display(description=gettext_lazy("expires"))
    def expires(self, token: ApiToken) -> SafeString | str:
        return moment(token.expires_at)

    @admin.display(description=gettext_lazy("status"))
    def standing(self, token: ApiToken) -> SafeString:
        if token.revoked_at:
            return status_badge("revoked")
        if token.expires_at and token.expires_at <= timezone.now():
            return status_badge("past")
        if not self.may_revoke:
            return status_badge("active")
        return link_button(reverse("admin:accounts_user_revoke", args=[token.user_id, token.pk]), gettext("Revoke…"))


class LaneInline(ReadOnlyInline):
    model = Lane
    fields = ("cluster", "slots", "taken", "weight")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("lanes")
