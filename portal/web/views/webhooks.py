"""Webhooks: endpoints that hear of ended tasks, each with its deliveries; made, changed, tried out, sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.web.missing import missing_is_404
from portal.web.paging import read_page
from portal.web.people import SignedInRequest
from portal.web.shown_once import show_next, shown_now
from tasks import errors
from tasks.models import WebhookDelivery, WebhookEndpoint
from tasks.models.webhook import EVENTS
from tasks.owned import get_owned
from tasks.webhooks.endpoints import (
    MAX_DESCRIPTION,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
)
from tasks.webhooks.redelivery import redeliver

SESSION_KEY = "new_webhook_secret"
# The receiver has so long to learn the new secret: until then both sign.
OVERLAP_HOURS = 24
EVENT_WORDS = {
    "task.succeeded": gettext_lazy("a task succeeded"),
    "task.failed": gettext_lazy("a task failed"),
    "task.cancelled": gettext_lazy("a task was cancelled"),
    "task.expired": gettext_lazy("a task expired"),
}


class EndpointForm(forms.Form):
    """Where events go, and which. What the lifecycle refuses is shown at the field that means it."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        widget=forms.URLInput(
            attrs={"placeholder": "https://example.com/hook", "class": "code", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("Gets a signed POST request for each event."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=gettext_lazy("For your list."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tell of"),
        choices=[(event, EVENT_WORDS[event]) for event in EVENTS],
        widget=forms.CheckboxSelectMultiple,
        initial=EVENTS,
    )

    def add_faults(self, error: errors.Refused) -> None:
        """Show why it was refused, at its field or above all."""
        faults = getattr(error, "errors", None) or [errors.Fault("", error.code, error.message)]
        for fault in faults:
            name = fault.pointer.strip("/").split("/")[0]
            self.add_error(name if name in self.fields else None, fault.detail)


@login_required
@never_cache
def list_endpoints(request: SignedInRequest) -> HttpResponse:
    """Show the endpoints, all of them, as there are few; a posted form makes one."""
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = create_endpoint(request.user, **form.cleaned_data)
        except errors.Refused as error:
            form.add_faults(error)
        else:
            _show_secret(request, endpoint, secret)
            return redirect("web:webhook", endpoint_id=endpoint.pk)
    endpoints = WebhookEndpoint.objects.filter(owner=request.user).order_by("-pk")
    context = {"form": form, "endpoints": endpoints}
    return render(request, "web/webhooks/page.html", context, status=422 if form.errors else 200)


@login_required
@never_cache
def show(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Show an endpoint with its deliveries; a posted form changes it."""
    endpoint = _find(request, endpoint_id)
    form = EndpointForm(request.POST or None, initial=_values(endpoint))
    if not endpoint.url:
        # It stands for all addresses that come with submissions.
        del form.fields["url"]
    if request.method == "POST" and form.is_valid():
        try:
            change_endpoint(endpoint_id, owner=request.user, **form.cleaned_data)
        except errors.Refused as error:
            form.add_faults(error)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("web:webhook", endpoint_id=endpoint_id)
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint_id)
    context = {
        "endpoint": endpoint,
        "form": form,
        "secret": _shown_secret(request, endpoint),
        "page": read_page(deliveries, request, sources=[deliveries], size=25),
    }
    return render(request, "web/webhooks/endpoint.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def test(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Send an event that tells of nothing."""
    return _act(request, endpoint_id, send_test, gettext("A test is on its way: it is listed below."))


@login_required
@require_POST
def pause(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Note no further deliveries; those not sent yet are given up."""
    return _act(request, endpoint_id, change_endpoint, gettext("It is paused."), enabled=False)


@login_required
@require_POST
def resume(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    return _act(request, endpoint_id, change_endpoint, gettext("It hears of what ends from now on."), enabled=True)


@login_required
@require_POST
def rotate(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    """Give it another secret, which the next page shows; the former one signs beside it for a day."""
    with missing_is_404():
        endpoint, secret = rotate_secret(endpoint_id, owner=request.user, overlap_hours=OVERLAP_HOURS)
    _show_secret(request, endpoint, secret)
    return redirect("web:webhook", endpoint_id=endpoint_id)


@login_required
@require_POST
def delete(request: SignedInRequest, endpoint_id: UUID) -> HttpResponse:
    with missing_is_404():
        delete_endpoint(endpoint_id, owner=request.user)
    messages.success(request, gettext("The webhook is deleted."))
    return redirect("web:webhooks")


@login_required
@require_POST
def send_again(request: SignedInRequest, delivery_id: UUID) -> HttpResponse:
    """Send an event once more, or sooner."""
    with missing_is_404():
        endpoint_id = get_owned(WebhookDelivery, delivery_id, owner=request.user).endpoint_id
        try:
            redeliver(delivery_id, by=request.user, owner=request.user)
        except errors.Refused as error:
            messages.error(request, error.message)
        else:
            messages.success(request, gettext("It is sent again."))
    return redirect("web:webhook", endpoint_id=endpoint_id)


def _find(request: SignedInRequest, endpoint_id: UUID) -> WebhookEndpoint:
    with missing_is_404():
        return get_owned(WebhookEndpoint, endpoint_id, owner=request.user)


def _act(request: SignedInRequest, endpoint_id: UUID, act: Callable[..., Any], done: str, **how: Any) -> HttpResponse:
    try:
        with missing_is_404():
            act(endpoint_id, owner=request.user, **how)
    except errors.Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    return redirect("web:webhook", endpoint_id=endpoint_id)


def _values(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"url": endpoint.url, "description": endpoint.description, "events": endpoint.events}


def _show_secret(request: SignedInRequest, endpoint: WebhookEndpoint, secret: str) -> None:
    show_next(request, SESSION_KEY, f"{endpoint.pk} {secret}")


def _shown_secret(request: SignedInRequest, endpoint: WebhookEndpoint) -> str:
    of, _, secret = shown_now(request, SESSION_KEY).partition(" ")
    return secret if of == str(endpoint.pk) else ""
