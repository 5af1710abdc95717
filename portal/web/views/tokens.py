"""API tokens: make one (shown once), see them, revoke them."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import ApiToken, User
from accounts.models.token import Scope
from accounts.tokens import create_token, revoke_token
from portal.web import snippets
from portal.web.people import SignedInRequest
from portal.web.shown_once import show_next, shown_now

LIFETIMES = [
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("1 year")),
    ("", gettext_lazy("never expires")),
]
SESSION_KEY = "new_token"
# What the form begins with, by what the token is for.
TEMPLATES = {
    "": (gettext_lazy("Usual"), [Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.FILES]),
    "reading": (gettext_lazy("Read only"), [Scope.TASKS_READ]),
    "submitting": (gettext_lazy("Submit only"), [Scope.TASKS_WRITE]),
}


class TokenForm(forms.Form):
    """What a new token is called, may do, and how long it lives."""

    name = forms.CharField(max_length=100, help_text=gettext_lazy("Where it is used: a program, a machine."))
    days = forms.ChoiceField(label=gettext_lazy("Expires"), choices=LIFETIMES, required=False, initial="90")
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, user: User, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        if not user.is_staff:
            choices = [choice for choice in Scope.choices if choice[0] != Scope.OPERATE]
            self.fields["scopes"].choices = choices  # type: ignore[attr-defined]


@never_cache
@login_required
def list_tokens(request: SignedInRequest) -> HttpResponse:
    """Show the tokens; a posted form makes one, which the page that follows shows."""
    template = request.GET.get("for", "")
    template = template if template in TEMPLATES else ""
    form = TokenForm(request.user, request.POST or None, initial={"scopes": TEMPLATES[template][1]})
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        secret = create_token(
            request.user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=timezone.now() + timedelta(days=int(days)) if days else None,
        )
        show_next(request, SESSION_KEY, secret)
        return redirect("web:tokens")
    context = {
        "form": form,
        "secret": shown_now(request, SESSION_KEY),
        "tokens": ApiToken.objects.filter(user=request.user, revoked_at=None),
        "now": timezone.now(),
        "templates": [(name, label) for name, (label, _) in TEMPLATES.items()],
        "template": template,
        "snippets": snippets.for_submission(request, "text.generate", {"prompt": "Write a haiku about queues."}),
    }
    return render(request, "web/tokens/page.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def revoke(request: SignedInRequest, token_id: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, pk=token_id)
    revoke_token(token)
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("web:tokens")
