"""All addresses: pages, API, admin, health, metrics."""

from django.contrib import admin
from django.urls import include, path

from accounts.languages import choose
from portal import health
from portal.metrics.view import metrics

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
    path("language", choose, name="language"),
    path("api/", include("tasks.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("portal.web.urls")),
    # Last: the portal answers the few addresses below account/ that would send e-mail.
    path("account/", include("allauth.urls")),
]

# In the admin with its navigation and the reason; elsewhere Django's, with the portal's pages.
handler400 = "portal.web.bad_request.bad_request"
handler403 = "tasks.admin.error_pages.forbidden"
handler404 = "tasks.admin.error_pages.not_found"
handler500 = "tasks.admin.error_pages.broken"
