"""Users: their plan, limits changed for them, tokens; whether they may do anything at all."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import ApiToken, PlanOverride, User
from accounts.tokens import revoke_token
from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.bulk_actions import PERMISSION as OPERATE
from tasks.admin.bulk_actions import VERBS
from tasks.admin.confirm import Question, confirm_page
from tasks.admin.formats import link_button, moment
from tasks.admin.screen import AuditedScreen
from tasks.admin.task_actions import ask_for_all, require_permission
from tasks.admin.user_forms import NewUserForm, UserForm
from tasks.admin.user_inlines import LaneInline, OverrideInline, TokenInline
from tasks.lifecycle.limits import apply_limits
from tasks.operations.task_filter import TaskFilter
from tasks.ui.badge import status_badge

HOLD = "Their tasks stay in line and start no more, their API tokens are revoked, and they cannot sign in."
# Who may change these could make anybody, themselves included, mightier than they are.
SUPERUSERS_ONLY = ("is_superuser", "user_permissions")


class UserScreen(AuditedScreen[User], DjangoUserAdmin):  # type: ignore[type-arg]
    """Accounts are not deleted here: their tasks and files hang on them."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "plan", "standing", "operator", "limits", "joined")
    list_filter = ("is_active", "is_staff", "plan")
    list_select_related = ("plan",)
    search_fields = ("email", "name")
    ordering = ("email",)
    sortable_by = ()
    actions = ("hold_selected", "release_selected", "cancel_tasks_of_selected")
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined", "tasks_of")
    inlines = (OverrideInline, TokenInline, LaneInline)
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "time_zone")}),
        ("Limits", {"fields": ("plan", "is_active"), "description": f"A user who is not active is held. {HOLD}"}),
        ("Rights", {"classes": ("collapse",), "fields": ("is_staff", "groups", "is_superuser", "user_permissions")}),
        ("Tasks", {"fields": ("tasks_of",)}),
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

    # --- Hold and release -------------------------------------------------------------------------

    @admin.action(description="Hold the selected users", permissions=["change"])
    def hold_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        users = self._changeable(request, queryset.filter(is_active=True))
        if users and "confirmed" not in request.POST:
            return confirm_page(request, _hold_question(request, users))
        for user in users:
            with transaction.atomic():
                User.objects.filter(pk=user.pk).update(is_active=False)
                _revoke_all(user)
                audit.record(operator_of(request), "hold", "user", user.pk, name=user.email)
            apply_limits(User.objects.select_related("plan").get(pk=user.pk))
        messages.success(request, f"{len(users)} held. {HOLD}")
        return None

    @admin.action(description="Release the selected users", permissions=["change"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        users = self._changeable(request, queryset.filter(is_active=False))
        for user in users:
            with transaction.atomic():
                User.objects.filter(pk=user.pk).update(is_active=True)
                audit.record(operator_of(request), "release", "user", user.pk, name=user.email)
            apply_limits(User.objects.select_related("plan").get(pk=user.pk))
        messages.success(request, f"{len(users)} released: their tasks start again. They need new API tokens.")
        return None

    def _changeable(self, request: HttpRequest, users: QuerySet[User]) -> list[User]:
        mine = request.user.pk
        return [user for user in users if user.pk != mine and self.has_change_permission(request, user)]

    # --- Their tasks ------------------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE)

    @admin.action(description="Cancel all tasks of the selected users", permissions=["operate"])
    def cancel_tasks_of_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        users = tuple(queryset.order_by("pk").values_list("pk", flat=True))
        return ask_for_all(request, VERBS["cancel"], TaskFilter(owners=users), back=request.get_full_path())

    def cancel_tasks(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Ask before all tasks of one user are cancelled."""
        require_permission(request)
        if not User.objects.filter(pk=user_id).exists():
            raise Http404("There is no such user.")
        back = reverse("admin:accounts_user_change", args=[user_id])
        return ask_for_all(request, VERBS["cancel"], TaskFilter(owners=(user_id,)), back=back)

    # --- Tokens -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke)
        cancel_tasks = self.admin_site.admin_view(self.cancel_tasks)
        return [
            path("<int:user_id>/tokens/<str:token_id>/revoke/", revoke, name="accounts_user_revoke"),
            path("<int:user_id>/cancel-tasks/", cancel_tasks, name="accounts_user_cancel_tasks"),
            *super().get_urls(),
        ]

    def revoke(self, request: HttpRequest, user_id: int, token_id: str) -> HttpResponse:
        """Ask, then revoke one API token."""
        token = ApiToken.objects.select_related("user").filter(pk=token_id, user=user_id).first()
        if not self.has_change_permission(request, token.user if token else None):
            raise PermissionDenied("You may look at tokens, but not revoke them.")
        if token is None:
            raise Http404("There is no such token.")
        back = reverse("admin:accounts_user_change", args=[user_id])
        if request.method != "POST":
            text = f"Programs of {token.user} that use it are refused from now on. It cannot be brought back."
            question = Question(title=f"Revoke {token}?", text=text, button="Revoke", back=back, dangerous=True)
            return confirm_page(request, question)
        with transaction.atomic():
            revoke_token(token)
            audit.record(operator_of(request), "revoke", "apitoken", token.pk, name=token.name, user=token.user.email)
        messages.success(request, f"{token} is revoked.")
        return HttpResponseRedirect(back)

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
    def tasks_of(self, user: User) -> SafeString:
        listed = f"{reverse('admin:tasks_task_changelist')}?{urlencode({'q': user.email})}"
        cancel = reverse("admin:accounts_user_cancel_tasks", args=[user.pk])
        return format_html(
            '<div class="row">{} {}</div>', link_button(listed, "Show"), link_button(cancel, "Cancel all…")
        )


def _hold_question(request: HttpRequest, users: list[User]) -> Question:
    chosen = [("_selected_action", str(user.pk)) for user in users]
    names = ", ".join(user.email for user in users[:10]) + (" and others" if len(users) > 10 else "")
    return Question(
        title=f"Hold {len(users)} {'user' if len(users) == 1 else 'users'}?",
        text=f"{names}. {HOLD} Releasing them does not bring the tokens back.",
        button="Hold",
        back=request.get_full_path(),
        dangerous=True,
        hidden=(("action", "hold_selected"), ("confirmed", "yes"), *chosen),
    )


def _revoke_all(user: User) -> None:
    for token in user.api_tokens.filter(revoked_at=None):
        revoke_token(token)
