"""Lists as files: all that their filters find, newest first, as CSV or a line of JSON each, sent as it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from tasks import audit
from tasks.admin.access import operator_of
from tasks.admin.keyset import TOO_LONG, KeysetChangeList, KeysetScreen
from tasks.exports.csv_file import BYTE_ORDER_MARK, CSV, csv_lines
from tasks.figures.bounded import bounded_queries, took_too_long
from tasks.models.newest import find

M = TypeVar("M", bound=Model)

PAGE = 500
CONTENT_TYPES = {"csv": CSV, "ndjson": "application/x-ndjson"}
NO_FILTER = gettext_lazy("The list has no such filter, or it cannot have this value. Nothing was saved.")
BROKEN_OFF = "The export ends here: the database took too long, or went away. What is older is missing."


class ExportedChangeList(KeysetChangeList):
    @property
    def export_links(self) -> list[tuple[str, str]]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        return [(kind.upper(), reverse(name, args=[kind]) + self.get_query_string()) for kind in CONTENT_TYPES]


class ExportedScreen(KeysetScreen[M]):
    """A list that can be saved. `export_row` says what of a row; all rows have the same names."""

    def export_row(self, row: M) -> Mapping[str, Any]:
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ExportedChangeList

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/<str:kind>/", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
        """Send all that the filters of the address find. That it was asked for is audited.

        Raises:
            Http404: there is no such kind of file.
            PermissionDenied: the person may not see the list.
            BadRequest: the list has no such filter.
        """
        if kind not in CONTENT_TYPES:
            raise Http404("Lists are saved as csv or ndjson.")
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            with bounded_queries():
                shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest(NO_FILTER) from error
        except OperationalError as error:
            if not took_too_long(error):
                raise
            messages.error(request, TOO_LONG)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        assert isinstance(shown, KeysetChangeList)
        audit.record(operator_of(request), "export", str(self.opts.model_name), "", filters=request.GET.urlencode())
        pages = _pages(self, shown)
        sent = _as_csv(pages) if kind == "csv" else _as_json(pages)
        day = timezone.localtime().strftime("%Y-%m-%d")
        name = f"{str(self.opts.verbose_name_plural).replace(' ', '-')}-{day}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(sent, content_type=CONTENT_TYPES[kind], headers=headers)


def _pages(screen: ExportedScreen[Any], shown: KeysetChangeList) -> Iterator[Sequence[Mapping[str, Any]]]:
    places, after = screen.places(shown.given), None
    while True:
        with bounded_queries():
            found = find(shown.queryset, places.sources, most=PAGE, after=after, by_index=places.by_index)
            rows = [screen.export_row(row) for row in found.rows]
        yield rows
        if found.end is None:
            return
        after = found.end


def _as_csv(pages: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    is_first = True
    try:
        for rows in pages:
            if is_first and rows:
                yield csv_lines([list(rows[0])])
                is_first = False
            yield csv_lines(row.values() for row in rows)
    except OperationalError:
        yield csv_lines([[BROKEN_OFF]])


def _as_json(pages: Iterator[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    try:
        for rows in pages:
            yield "".join(json.dumps(row, ensure_ascii=False, cls=DjangoJSONEncoder) + "\n" for row in rows)
    except OperationalError:
        yield json.dumps({"error": BROKEN_OFF}) + "\n"
