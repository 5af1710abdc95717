"""Account: name, time zone, and the ways to password, second factor and sessions."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import User
from portal.web.people import SignedInRequest


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at runtime
    """What users change about themselves."""

    class Meta:
        model = User
        fields = ["name", "time_zone"]

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        zones = [("", f"as the portal ({settings.TIME_ZONE})")] + [
            (zone, zone) for zone in sorted(available_timezones())
        ]
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone", choices=zones, required=False, help_text="Times on these pages are shown in it."
        )


@login_required
def show(request: SignedInRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        request.user.save(update_fields=["name", "time_zone"])
        messages.success(request, "Saved.")
        return redirect("web:account")
    return render(request, "web/account/page.html", {"form": form}, status=422 if form.errors else 200)


def no_mail(request: HttpRequest) -> HttpResponse:
    """Say that this portal sends no e-mail, where allauth would offer it."""
    return render(request, "web/account/no_mail.html", status=404 if request.method == "POST" else 200)
