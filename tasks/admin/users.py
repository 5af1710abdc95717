"""Users: their plan, limits changed for them, tokens; whether they may do anything at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext_lazy

from accounts.models import ApiToken, PlanOverride, User
from accounts.tokens import revoke_token
from tasks.admin.access import operator_of
from tasks.admin.acting import ActingScreen
from tasks.admin.carry_out import act_on_row
from tasks.admin.formats import link_button, moment
from tasks.admin.screen import AuditedScreen
from tasks.admin.user_forms import NewUserForm, UserForm
from tasks.admin.user_inlines import LaneInline, OverrideInline, TokenInline
from tasks.lifecycle.apply_limits import apply_limits
from tasks.operations.action import Action
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge

HOLD = "Their tasks stay in line and do not start, their API tokens are revoked, and they cannot sign in."
# Who may change these could make anybody, themselves included, mightier than they are.
PERMISSION = "accounts.change_user"
SUPERUSERS_ONLY = ("is_superuser", "user_permissions")


def _set_active(user: User, active: bool) -> None:
    User.objects.filter(pk=user.pk).update(is_active=active)
    if not active:
        _revoke_all(user)
    # After the commit: lanes are locked in transactions of their own.
    transaction.on_commit(lambda: apply_limits(User.objects.select_related("plan").get(pk=user.pk)))


def _revoke_all(user: User) -> None:
    for token in user.api_tokens.filter(revoked_at=None):
        revoke_token(token)


USERS = ngettext_lazy("{count} user", "{count} users", "count")
HOLD_USERS = Action(
    name="hold", label="Hold", title="Hold {it}", done=f"{{it}} held. {HOLD}", things=USERS, permission=PERMISSION,
    text=f"{{names}}. {HOLD} Releasing them does not bring the tokens back.", tone="danger",
    act=lambda user, _by, _choice: _set_active(user, False), audits=lambda user: {"name": user.email},
)  # fmt: skip
RELEASE_USERS = Action(
    name="release", label="Release", title="Release {it}", things=USERS, permission=PERMISSION,
    done="{it} released: their tasks start again. They need new API tokens.",
    act=lambda user, _by, _choice: _set_active(user, True), audits=lambda user: {"name": user.email},
)  # fmt: skip
REVOKE = Action(
    name="revoke", label="Revoke", title="Revoke {it}", done="{it} is revoked.", permission=PERMISSION, tone="danger",
    text="Programs of {row.user} that use it are refused from now on. It cannot be brought back.",
    act=lambda token, _by, _choice: revoke_token(token),
    audits=lambda token: {"name": token.name, "user": token.user.email},
)  # fmt: skip


class UserScreen(ActingScreen[User], AuditedScreen[User], DjangoUserAdmin):  # type: ignore[type-arg]
    """Accounts are not deleted here: their tasks and files hang on them."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "plan", "standing", "operator", "limits", "joined")
    list_filter = ("is_active", "is_staff", "plan")
    list_select_related = ("plan",)
    search_fields = ("email", "name")
    ordering = ("email",)
    sortable_by = ()
    selected_actions = (HOLD_USERS, RELEASE_USERS)
    tasks_place = "users"
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined", "their_tasks")
    inlines = (OverrideInline, TokenInline, LaneInline)
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "time_zone")}),
        ("Limits", {"fields": ("plan", "is_active"), "description": f"A user who is not active is held. {HOLD}"}),
        ("Rights", {"classes": ("collapse",), "fields": ("is_staff", "groups", "is_superuser", "user_permissions")}),
        ("Tasks", {"fields": ("their_tasks",)}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"classes": ("wide",), "fields": ("email", "name", "plan", "usable_password", "password1", "password2")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        changed = PlanOverride.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).annotate(has_overrides=Exists(changed))

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    # --- Who may do what --------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # A new password for a superuser would be a way to become one.
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if not request.user.is_superuser:
            fixed += SUPERUSERS_ONLY
        if obj is not None and obj.pk == request.user.pk:
            # Nobody locks themselves out, nor widens their own rights.
            fixed += ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")
        return tuple(dict.fromkeys(fixed))

    # --- Saving -----------------------------------------------------------------------------------

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is PlanOverride:
            for override_form in formset.forms:
                if override_form.has_changed():
                    override_form.instance.made_by = request.user
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user = form.instance
        if change and "is_active" in form.changed_data and not user.is_active:
            _revoke_all(user)
        # After the commit: lanes are locked in transactions of their own.
        transaction.on_commit(lambda: apply_limits(User.objects.select_related("plan").get(pk=user.pk)))

    # --- Acting -----------------------------------------------------------------------------------

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[User]) -> list[User]:
        """Return those that are to change: nobody holds themselves, nor who is mightier than they are."""
        others = rows.filter(is_active=action is HOLD_USERS).exclude(pk=operator_of(request).pk)
        return [user for user in others if self.has_change_permission(request, user)]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        # What is done to users is in the menu above the list, and on their pages.
        return self.list_display

    def tasks_of(self, rows: Sequence[User]) -> TaskFilter:
        return TaskFilter(owners=tuple(user.pk for user in rows))

    def address(self, row: User) -> str:
        return reverse("admin:accounts_user_change", args=[row.pk])

    # --- Tokens -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke)
        revoke_path = path("<int:user_id>/tokens/<str:token_id>/revoke/", revoke, name="accounts_user_revoke")
        return [revoke_path, *super().get_urls()]

    def revoke(self, request: HttpRequest, user_id: int, token_id: str) -> HttpResponse:
        """Ask, then revoke one API token."""
        token = ApiToken.objects.select_related("user").filter(pk=token_id, user=user_id).first()
        if not self.has_change_permission(request, token.user if token else None):
            raise PermissionDenied("You may look at tokens, but not revoke them.")
        if token is None:
            raise Http404("There is no such token.")
        return act_on_row(request, REVOKE, token, back=reverse("admin:accounts_user_change", args=[user_id]))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        user: Any = super().get_object(request, object_id, from_field)
        if user is not None:
            # A field of the page is drawn without the request.
            user.permitted = [action for action in self._task_actions if request.user.has_perm(action.permission)]
        return user  # type: ignore[no-any-return]

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description="status")
    def standing(self, user: User) -> SafeString:
        return status_badge("active" if user.is_active else "held_user")

    @admin.display(description="operator", boolean=True)
    def operator(self, user: User) -> bool:
        return user.is_staff

    @admin.display(description="limits")
    def limits(self, user: Any) -> str:
        return "changed" if user.has_overrides else "as the plan"

    @admin.display(description="joined")
    def joined(self, user: User) -> SafeString | str:
        return moment(user.date_joined)

    @admin.display(description="tasks")
    def their_tasks(self, user: Any) -> SafeString:
        listed = f"{reverse('admin:tasks_task_changelist')}?{urlencode({'q': user.email})}"
        buttons = self.draw(user, user.permitted)
        return format_html('<div class="row">{} {}</div>', link_button(listed, "Show"), buttons)
