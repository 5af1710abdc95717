"""/quota: what the plan allows and what is used of it."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.objects.quota import Quota
from tasks.api.schema import operation
from tasks.api.views.view import ANY_TOKEN, ApiView
from tasks.figures.quota import read_quota


class QuotaView(ApiView):
    scopes: ClassVar = {"GET": ANY_TOKEN}

    @operation("get_quota", tag="account", answers={200: Quota})
    def get(self, request: Request) -> Response:
        """Read your quota."""
        return Response(read_quota(self.caller))
