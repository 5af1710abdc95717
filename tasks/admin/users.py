"""Users: their plan, limits changed for them, tokens; whether they may do anything at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from accounts.models import ApiToken, PlanOverride, User
from accounts.tokens import revoke_token
from tasks.admin import acting, user_work
from tasks.admin.access import operator_of
from tasks.admin.acting import ActingScreen
from tasks.admin.boosts import boost_urls, limits_line
from tasks.admin.carry_out import act_on_row
from tasks.admin.formats import link_button, moment
from tasks.admin.screen import AuditedScreen
from tasks.admin.user_forms import NewUserForm, PasswordForm, UserForm
from tasks.admin.user_inlines import LaneInline, OverrideInline, TokenInline
from tasks.lifecycle.apply_limits import apply_after_commit, revoke_all, set_active
from tasks.measures import NOTHING
from tasks.operations.action import Action
from tasks.operations.bulk_action import BulkAction
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge

# Who may change these could make anybody, themselves included, mightier than they are.
PERMISSION = "accounts.change_user"
SUPERUSERS_ONLY = ("is_superuser", "user_permissions")


USERS = ngettext_lazy("{count} user", "{count} users", "count")
HOLD_USERS = Action(
    name="hold",
    label=gettext_lazy("Hold"),
    title=gettext_lazy("Hold {it}"),
    done=gettext_lazy(
        "{it} held. Their tasks stay in line and do not start, their API tokens are revoked, and they cannot sign in."
    ),
    things=USERS,
    permission=PERMISSION,
    text=gettext_lazy(
        "{names}. Their tasks stay in line and do not start, their API tokens are revoked, and they cannot sign in. "
        "Releasing them does not bring the tokens back."
    ),
    tone="danger",
    act=lambda user, _by, _choice: set_active(user, False),
    audits=lambda user: {"name": user.email},
)
RELEASE_USERS = Action(
    name="release",
    label=gettext_lazy("Release"),
    title=gettext_lazy("Release {it}"),
    things=USERS,
    permission=PERMISSION,
    done=gettext_lazy("{it} released: their tasks start again. They need new API tokens."),
    act=lambda user, _by, _choice: set_active(user, True),
    audits=lambda user: {"name": user.email},
)
REVOKE = Action(
    name="revoke",
    label=gettext_lazy("Revoke"),
    title=gettext_lazy("Revoke {it}"),
    done=gettext_lazy("{it} is revoked."),
    permission=PERMISSION,
    tone="danger",
    text=gettext_lazy("Programs of {row.user} that use it are refused from now on. It cannot be brought back."),
    act=lambda token, _by, _choice: revoke_token(token),
    audits=lambda token: {"name": token.name, "user": token.user.email},
)


class UserScreen(ActingScreen[User], AuditedScreen[User], DjangoUserAdmin):  # type: ignore[type-arg]
    """Accounts are not deleted here: their tasks and files hang on them."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ("email", "name", "plan", "standing", "operator", "limits", "joined")
    list_filter = ("is_active", "is_staff", "plan")
    list_select_related = ("plan",)
    search_fields = ("email", "name")
    ordering = ("email",)
    sortable_by = ()
    selected_actions = (HOLD_USERS, RELEASE_USERS)
    row_actions = (HOLD_USERS, RELEASE_USERS)
    tasks_place = "users"
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_seen", "joined", "their_tasks", "their_limits", "signs_in")
    inlines = (OverrideInline, TokenInline, LaneInline)
    fieldsets = (
        (None, {"fields": ("email", "name", "signs_in", "time_zone")}),
        (
            gettext_lazy("Limits"),
            {
                "fields": ("plan", "their_limits", "is_active"),
                "description": gettext_lazy(
                    "A user who is not active is held: their tasks stay in line and do not start, their API tokens are "
                    "revoked, and they cannot sign in."
                ),
            },
        ),
        (
            gettext_lazy("Rights"),
            {"classes": ("collapse",), "fields": ("is_staff", "groups", "is_superuser", "user_permissions")},
        ),
        (gettext_lazy("Tasks"), {"fields": ("their_tasks",)}),
        (gettext_lazy("When"), {"fields": ("last_seen", "joined")}),
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
            revoke_all(user)
        apply_after_commit(user.pk)

    # --- Acting -----------------------------------------------------------------------------------

    def chosen(self, request: HttpRequest, action: Action, rows: QuerySet[User]) -> list[User]:
        """Return those that are to change: nobody holds themselves, nor who is mightier than they are."""
        others = rows.filter(is_active=action is HOLD_USERS).exclude(pk=operator_of(request).pk)
        return [user for user in others[: acting.MOST_AT_ONCE + 1] if self.has_change_permission(request, user)]

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
        work_path = path("<int:user_id>/work/", self.admin_site.admin_view(self.work), name="accounts_user_work")
        return [revoke_path, work_path, *boost_urls(self.admin_site), *super().get_urls()]

    def work(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Show what the user's tasks do and use."""
        return user_work.page(self, request, user_id)

    def offered(self, request: HttpRequest, user: User) -> list[Action]:
        """Return what this person may do about the user, and about all of their tasks."""
        found = [*self._task_actions, HOLD_USERS if user.is_active else RELEASE_USERS]
        return [one for one in found if request.user.has_perm(one.permission) and self.may_act(request, one, user)]

    def may_act(self, request: HttpRequest, action: Action, row: User) -> bool:
        """Nobody holds themselves, nor who is mightier than they are; what is theirs to do is another matter."""
        is_other = self.has_change_permission(request, row) and row.pk != operator_of(request).pk
        return isinstance(action, BulkAction) or is_other

    def action_url(self, user: User, action: Action) -> str:
        return reverse(f"{self._info}_{self._name(action)}", args=[user.pk])

    def actions_for(self, row: User) -> list[Action]:
        # In the list they are in the menu; each has its address all the same.
        return []

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
            user.rights = request.user.get_all_permissions()
            user.may_be_changed = self.has_change_permission(request, user)
        return user  # type: ignore[no-any-return]

    # --- Columns ----------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("status"))
    def standing(self, user: User) -> SafeString:
        return status_badge("active" if user.is_active else "held_user")

    @admin.display(description=gettext_lazy("operator"))
    def operator(self, user: User) -> str:
        return gettext("operator") if user.is_staff else NOTHING

    @admin.display(description=gettext_lazy("limits"))
    def limits(self, user: Any) -> str:
        return gettext("changed") if user.has_overrides else gettext("as the plan")

    @admin.display(description=gettext_lazy("joined"))
    def joined(self, user: User) -> SafeString | str:
        return moment(user.date_joined)

    @admin.display(description=gettext_lazy("last sign-in"))
    def last_seen(self, user: User) -> SafeString | str:
        return moment(user.last_login)

    @admin.display(description=gettext_lazy("changed"))
    def their_limits(self, user: Any) -> SafeString | str:
        return limits_line(user, user.rights)

    @admin.display(description=gettext_lazy("sign-in"))
    def signs_in(self, user: Any) -> SafeString | str:
        has_it = gettext("With a password.") if user.has_usable_password() else gettext("Without a password.")
        if not user.may_be_changed:
            return has_it
        link = link_button(reverse("admin:auth_user_password_change", args=[user.pk]), gettext("Set a password…"))
        return format_html('<div class="row">{} {}</div>', has_it, link)

    @admin.display(description=gettext_lazy("tasks"))
    def their_tasks(self, user: Any) -> SafeString:
        listed = f"{reverse('admin:tasks_task_changelist')}?{urlencode({'q': user.email})}"
        buttons = self.draw(user, user.permitted)
        work = reverse("admin:accounts_user_work", args=[user.pk])
        shown, stands = link_button(listed, gettext("Show")), link_button(work, gettext("How they stand"))
        return format_html('<div class="row">{} {} {}</div>', stands, shown, buttons)
