"""Views of the list of tasks that a user has saved: filters under a name."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from portal.web.forms.task_filter import read_filter
from portal.web.people import SignedInRequest
from tasks.names import MOST_OF_A_LINE, is_line
from tasks.search.saved_views import MOST_OF_AN_ADDRESS, MOST_VIEWS, save_view, views_of
from tasks.ui.context import time_zone_of


@login_required
@require_POST
def save(request: SignedInRequest) -> HttpResponse:
    """Save the filters of the list under a name; those that had the name before are replaced."""
    name = request.POST.get("name", "").strip()
    given = QueryDict(request.POST.get("query", "")[:MOST_OF_AN_ADDRESS])
    query = read_filter(given, time_zone_of(request.user)).query
    if not is_line(name):
        messages.error(
            request, gettext("The name of a view is one line of 1 to %(most)s characters.") % {"most": MOST_OF_A_LINE}
        )
    elif not query:
        messages.error(request, gettext("There is nothing to save: nothing is filtered."))
    elif save_view(request.user, name, query):
        messages.success(request, gettext("Saved as “%(name)s”.") % {"name": name})
    else:
        messages.error(request, gettext("You have %(most)s views. Delete one first.") % {"most": MOST_VIEWS})
    return redirect(f"{reverse('web:tasks')}?{query}")


@login_required
@require_POST
def delete(request: SignedInRequest, view_id: int) -> HttpResponse:
    """Delete a view; the tasks stay."""
    view = get_object_or_404(views_of(request.user), pk=view_id)
    view.delete()
    messages.success(request, gettext("The view “%(name)s” was deleted.") % {"name": view.name})
    return redirect("web:tasks")
