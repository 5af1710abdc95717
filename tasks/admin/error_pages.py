"""What operators see when something is refused, missing or broken: the reason, in the admin's own frame.

Everybody else, and every address outside the admin, gets the portal's pages. `portal.urls` and the settings name these.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views import csrf, defaults

from tasks.operations.action import Words

logger = logging.getLogger(__name__)

TITLES: dict[int, Words] = {
    400: gettext_lazy("That request makes no sense"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Nothing here"),
    405: gettext_lazy("Nothing to open here"),
    500: gettext_lazy("Something broke"),
}
# Words of ours for what Django says to developers.
REASONS: dict[type[Exception], Words] = {
    TooManyFieldsSent: gettext_lazy(
        "The form has more fields than a page of ours. Use a filter, and select all that it finds."
    ),
    TooManyFilesSent: gettext_lazy("The form has more files than a page of ours."),
    RequestDataTooBig: gettext_lazy("The form is larger than this portal accepts."),
}
NONSENSE = gettext_lazy("The address or the form was not as expected. Go back and try again.")
MISSING = gettext_lazy("There is no such page. What it showed may have been removed since.")
STALE = gettext_lazy(
    "For your safety the form was not accepted: the page was open for too long, or cookies are blocked. Go back, reload"
    " it and send it again."
)
ONLY_POSTED = gettext_lazy("This address carries out what a button asks for. Go back to the page with the button.")
BROKEN = gettext_lazy("It is our fault, and it is in the log. What was done before stays done. Try again in a moment.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 400."""
    reason = str(exception) if type(exception) is BadRequest else REASONS.get(type(exception), "")
    return _page(request, 400, reason or NONSENSE) or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 403."""
    return _page(request, 403, str(exception) or _rights_of(request)) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 404. What the resolver raises tells the whole map of addresses, and no sentence."""
    reason = next((text for text in exception.args if isinstance(text, str)), "")
    return _page(request, 404, reason or MISSING) or defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponseBase:
    """Answer 500. When not even the page can be made, the plain one is sent."""
    try:
        page = _page(request, 500, BROKEN)
    except Exception:
        logger.exception("The operators' page of an error could not be made, either.")
        page = None
    return page or defaults.server_error(request)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form whose CSRF token is missing or old."""
    return _page(request, 403, STALE) or csrf.csrf_failure(request, reason)


def only_posted(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """Give a bare 405 its page: people reload what a button has led them to."""
    page = _page(request, 405, ONLY_POSTED)
    if page is None:
        return refused
    page.headers["Allow"] = refused.headers["Allow"]
    return page


def _page(request: HttpRequest, status: int, reason: Words) -> HttpResponse | None:
    if not request.path_info.startswith(reverse("admin:index")):
        return None
    # A request that was refused early has nobody yet.
    if not hasattr(request, "user") or not admin.site.has_permission(request):
        return None
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": TITLES[status],
        "code": status,
        "reason": reason,
        "request_id": getattr(request, "request_id", "") if status == 500 else "",
    }
    return HttpResponse(render_to_string("admin/error.html", context, request), status=status)


def _rights_of(request: HttpRequest) -> str:
    names = ", ".join(request.user.groups.order_by("name").values_list("name", flat=True))
    if not names:
        return gettext("You are in no group that may do this. An administrator can change that.")
    return gettext("Your rights (group: {names}) do not cover this. An administrator can change that.").format(
        names=names
    )
