"""The base of the API's views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from rest_framework.views import APIView

from accounts.models import User

# What a token of any scope may do.
ANY_TOKEN: tuple[str, ...] = ()


class ApiView(APIView):
    """A view of a signed-in caller. `scopes` names the scope that each method needs, or several of which one will do.

    The scope is of the route; content that comes or goes besides needs its own: `tasks.api.content_scopes`.
    """

    scopes: ClassVar[Mapping[str, str | tuple[str, ...]]]
    # Without OPTIONS: the OpenAPI document says what there is.
    http_method_names = ("get", "head", "post", "put", "patch", "delete")

    @property
    def caller(self) -> User:
        """Who asks; permissions have made sure that it is somebody."""
        return cast(User, self.request.user)
