"""The admin site: Django's, under our name, with our index."""

from django.contrib.admin import AdminSite


class PortalAdminSite(AdminSite):
    site_header = "Portal operations"
    site_title = "Portal"
    index_title = "Overview"
