"""The base of the API's views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from rest_framework.views import APIView

from accounts.models import User


class ApiView(APIView):
    """A view of a signed-in caller. `scopes` names the scope that each method needs."""

    scopes: ClassVar[Mapping[str, str]]
    # Without OPTIONS: the OpenAPI document says what there is.
    http_method_names = ("get", "head", "post", "put", "patch", "delete")

    @property
    def caller(self) -> User:
        """Who asks; permissions have made sure that it is somebody."""
        return cast(User, self.request.user)
