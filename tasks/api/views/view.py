"""The base of the API's views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from tasks.api.bodies import Query, read_query
from tasks.api.schema import reads_query

# What a token of any scope may do.
ANY_TOKEN: tuple[str, ...] = ()


class ApiView(APIView):
    """A view of a signed-in caller. `scopes` names the scope that each method needs, or several of which one will do.

    The scope is of the route; content that comes or goes besides needs its own: `tasks.api.content_scopes`.
    """

    scopes: ClassVar[Mapping[str, str | tuple[str, ...]]]
    # Without OPTIONS: the OpenAPI document says what there is.
    http_method_names = ("get", "head", "post", "put", "patch", "delete")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse parameters of the query where the method reads none: one that does nothing was meant to do something.

        Raises:
            InvalidParameter: there is one.
        """
        super().initial(request, *args, **kwargs)
        method = getattr(self, str(request.method).lower(), None)
        if method is not None and not reads_query(method):
            read_query(request.query_params, Query)

    @property
    def caller(self) -> User:
        """Who asks; permissions have made sure that it is somebody."""
        return cast(User, self.request.user)
