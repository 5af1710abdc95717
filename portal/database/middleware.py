"""What a lost connection does to a request: a read is done once more, and a page says that the database is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from tasks.api.middleware import PREFIX
from tasks.api.read_again import AWAY, is_away, is_cut_read, read_again

GetResponse = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)


class DatabaseAwayMiddleware:
    """Comes last: it calls the view again, and nothing between."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer what a view raised for want of the database; /api answers in its own words."""
        if not is_away(exception):
            return None
        found = request.resolver_match
        if found is not None and is_cut_read(request, exception):
            view: Callable[[], HttpResponseBase] = partial(found.func, request, *found.args, **found.kwargs)
            try:
                return read_again(request, view)
            except AWAY as again:
                exception = again
        if request.path_info.startswith(PREFIX):
            return None
        logger.error("The database did not answer: %s", exception)
        # No context: what every page shows is read from the database.
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "2"})
