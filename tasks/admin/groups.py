"""Groups of operators: what their members may do. Django's screen, audited."""

from __future__ import annotations

from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group

from tasks.admin.screen import AuditedScreen


class GroupScreen(AuditedScreen[Group], GroupAdmin):
    """Who may change a group may give its members any right; only administrators may."""

    sortable_by = ()
