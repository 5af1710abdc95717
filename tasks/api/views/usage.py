"""/usage: what was used, by day and type."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.bodies import Query, read_query
from tasks.api.objects.usage import Usage, usage_object
from tasks.api.schema import operation
from tasks.api.views.view import ApiView
from tasks.figures.usage import MOST_DAYS, first_day, read_usage


class UsageQuery(Query):
    days: int = Field(default=30, ge=1, le=MOST_DAYS, description="UTC days to look back, today included")


class UsageView(ApiView):
    scopes: ClassVar = {"GET": ("tasks:read", "account")}

    @operation("get_usage", tag="account", query=UsageQuery, answers={200: Usage})
    def get(self, request: Request) -> Response:
        """Read what your tasks used, by UTC day and type.

        Counted by attempts, on the day on which they ended, up to this moment.
        """
        since = first_day(read_query(request.query_params, UsageQuery).days)
        return Response(usage_object(since, read_usage(self.caller, since=since)))
