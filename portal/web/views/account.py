"""Account: name, time zone, language, and the ways to password, second factor and sessions."""

from __future__ import annotations

from zoneinfo import available_timezones

from allauth.account.decorators import reauthentication_required
from allauth.mfa.webauthn.views import login_webauthn
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext

from accounts import languages
from accounts.guessing import count_passkey
from accounts.models import User
from accounts.pace import TooOften
from portal.web.people import SignedInRequest
from tasks.api.account_export import account_archive
from tasks.exports.attachment import attachment
from tasks.exports.zip_stream import ZIP
from tasks.outbound import mail


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at runtime
    """What users change about themselves."""

    class Meta:
        model = User
        fields = ["name", "time_zone", "language", "mail_when"]

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        if not mail.is_set_up():
            del self.fields["mail_when"]
        portal_zone = gettext("as the portal ({zone})").format(zone=settings.TIME_ZONE)
        self.fields["time_zone"] = forms.ChoiceField(
            label=gettext("Time zone"),
            choices=[("", portal_zone)] + [(zone, zone) for zone in sorted(available_timezones())],
            required=False,
            help_text=gettext("Times on these pages are shown in it."),
        )
        self.fields["language"] = forms.ChoiceField(
            label=gettext("Language"),
            choices=[("", gettext("as the browser asks")), *settings.LANGUAGES],
            required=False,
            help_text=gettext("Of these pages, and of what is sent to you."),
        )


@login_required
def show(request: SignedInRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        request.user.save(update_fields=list(form.fields))
        # The page that follows is in the language that was chosen just now, and so is what it says first.
        with languages.language_for(request.user):
            messages.success(request, gettext("Saved."))
        response = redirect("web:account")
        languages.remember(response, request.user.language)
        return response
    return render(request, "web/account/page.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def export(request: SignedInRequest) -> HttpResponseBase:
    """Download what the portal keeps of somebody, for whom a stolen session is not enough."""
    name = f"portal-{localdate():%Y-%m-%d}.zip"
    response = attachment(account_archive(request.user), ZIP, name)
    # Nor is what a browser has kept of it for whoever comes next.
    response["Cache-Control"] = "no-store"
    return response


def sign_in_by_passkey(request: HttpRequest) -> HttpResponseBase:
    """Ask a browser for a passkey, or look at its answer."""
    if request.method != "POST":
        try:
            count_passkey(request)
        except TooOften as refusal:
            return HttpResponse(status=429, headers={"Retry-After": str(refusal.retry_after_seconds)})
    answer: HttpResponseBase = login_webauthn(request)
    return answer


def no_mail(request: HttpRequest) -> HttpResponse:
    """Say that this portal sends no e-mail, where allauth would offer it."""
    return render(request, "web/account/no_mail.html", status=404 if request.method == "POST" else 200)
