"""Being told when something ends: what ended since, news for scripts, wishes for mails, no more mails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest, origin_of
from portal.web.views.own import own_task
from tasks import errors
from tasks.models import Batch, Task
from tasks.notices.ended import EndedBatch, count_ended, ended_since, mark_all_seen
from tasks.notices.message import Ended, unsubscribing
from tasks.notices.wish import stop_mails, unwish, wish
from tasks.outbound import mail
from tasks.owned import get_owned
from tasks.ui.input_files import name_files

MOST_NEWS = 20
# What ends just before a page asks may be committed just after; the page knows what it has shown.
OVERLAP = timedelta(seconds=5)
LONGEST_NEWS = timedelta(hours=1)


@login_required
@require_GET
def list_ended(request: SignedInRequest) -> HttpResponse:
    """Show what ended since the person last said that it was seen."""
    until = timezone.now()
    found = ended_since(request.user)
    name_files([item for item in found.items if isinstance(item, Task)])
    context = {"found": found, "until": until.isoformat(), "can_mail": mail.is_set_up()}
    return render(request, "web/ended/page.html", context)


@login_required
@require_POST
def mark_ended_seen(request: SignedInRequest) -> HttpResponse:
    """Note that everything was seen that had ended when the page was made."""
    mark_all_seen(request.user, until=_moment(request.POST.get("until", "")) or timezone.now())
    return redirect("web:ended")


@login_required
@require_GET
@never_cache
def read_news(request: SignedInRequest) -> HttpResponse:
    """Tell a script how much is new, and what has ended since the moment ``?since=``."""
    now = timezone.now()
    since = _moment(request.GET.get("since", "")) or now
    found = ended_since(request.user, since=max(since, now - LONGEST_NEWS) - OVERLAP, most=MOST_NEWS)
    name_files([item for item in found.items if isinstance(item, Task)])
    # Of a batch the end is news, and not each of its tasks.
    news = [_as_news(item) for item in found.items if isinstance(item, Task) or item.is_over]
    count = len(news)
    return JsonResponse(
        {
            "now": now.isoformat(),
            "unseen": count_ended(request.user),
            "items": news,
            "summary": ngettext("{count} has ended", "{count} have ended", count).format(count=count),
            "url": reverse("web:ended"),
        }
    )


@login_required
@require_POST
def tell_of_task(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    """Send a mail when this task has ended, or do not."""
    _act(request, own_task(request, task_id))
    return redirect("web:task", task_id=task_id)


@login_required
@require_POST
def tell_of_batch(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """Send one mail when the last task of this batch has ended, or do not."""
    with missing_is_404():
        _act(request, get_owned(Batch, batch_id, owner=request.user))
    return redirect("web:batch", batch_id=batch_id)


@csrf_exempt
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End the mails of whoever got this link; programs post to it (RFC 8058), so no cookie counts.

    Opening the page changes nothing: scanners of mail open every link.
    """
    user = unsubscribing(token)
    if user is None:
        raise Http404
    if request.method == "POST":
        stop_mails(user)
    return render(request, "web/ended/unsubscribe.html", {"is_done": request.method == "POST"})


def _act(request: SignedInRequest, target: Task | Batch) -> None:
    if request.POST.get("tell") == "no":
        unwish(target)
        messages.success(request, gettext("You get no mail about it."))
        return
    try:
        wish(target, origin=origin_of(request))
    except errors.Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("You get a mail when it has ended."))


def _as_news(item: Task | EndedBatch) -> dict[str, Any]:
    if isinstance(item, Task):
        end, key = Ended.of_task(item), item.pk
    else:
        end, key = Ended.of_batch(item.batch, count=item.ended_count, bad=item.bad_count), item.batch.pk
    return {"id": str(key), "title": end.title, "text": end.outcome, "url": end.path}


def _moment(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None
