"""/task-types: what can be submitted here."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors, registry
from tasks.api import languages
from tasks.api.bodies import read_query
from tasks.api.objects.task_type import TaskType, type_object
from tasks.api.pagination import NamedPageQuery, answer_page, page_by_name
from tasks.api.schema import ListOf, operation
from tasks.api.views.view import ApiView
from tasks.figures.outlook import read_outlooks


class TaskTypesView(ApiView):
    scopes: ClassVar = {"GET": ("tasks:read", "tasks:write")}

    @operation(
        "list_task_types", tag="task types", query=NamedPageQuery, answers={200: ListOf[TaskType]}, headers=["Link"]
    )
    def get(self, request: Request) -> Response:
        """List the task types of this installation, by name.

        Each with its schemas, an example, and whether it is ready here.
        """
        query = read_query(request.query_params, NamedPageQuery)
        definitions, next_cursor = page_by_name(registry.all_types(), query)
        outlooks = read_outlooks(self.caller, definitions)
        with languages.spoken(request._request):
            shown = [type_object(definition, outlooks[definition.name]) for definition in definitions]
            response = answer_page(request, shown, next_cursor)
            languages.mark(response)
        return response


class TaskTypeView(ApiView):
    scopes: ClassVar = {"GET": ("tasks:read", "tasks:write")}

    @operation("get_task_type", tag="task types", answers={200: TaskType}, problems=[errors.NotFound])
    def get(self, request: Request, name: str) -> Response:
        """Read one task type."""
        definition = registry.all_types().get(name)
        if definition is None:
            raise errors.NotFound(f"There is no task type {name!r} here.")
        outlook = read_outlooks(self.caller, [definition])[name]
        with languages.spoken(request._request):
            response = Response(type_object(definition, outlook))
            languages.mark(response)
        return response
