"""The WSGI application: every page and API call that does not stream."""

import os
import sys

# Before the settings are loaded, and whatever is there: without it connections would not be pooled.
os.environ["PORTAL_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from portal.database.pool import check_pool  # noqa: E402
from tasks.api.token_cache import forget_token  # noqa: E402
from tasks.live import channels  # noqa: E402
from tasks.live.hub import hub  # noqa: E402
from tasks.pooler import UnusablePooler, refuse_pooler  # noqa: E402
from tasks.type_checks import look_over_at_start  # noqa: E402

try:
    refuse_pooler()
    look_over_at_start()
except (UnusablePooler, ImproperlyConfigured) as refused:
    sys.exit(str(refused))

# A revoked token ends at once here, too. A server that forks after this import loses the thread; then it ends
# within the seconds that tokens are kept.
hub.call_on(channels.TOKEN, forget_token)
hub.call_after_outage(check_pool)
hub.listen_in_thread()
