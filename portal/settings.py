"""Django's settings. Values come from the environment through `portal.env`; docs/settings.md lists them."""

from __future__ import annotations

import sys
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from portal import __version__, env
from portal.database.connecting import INDEX_PLANS_ONLY, database_settings  # noqa: F401 - a setting
from portal.database.pool import pool_options
from portal.languages import languages_in

# httpx imports its command line wherever rich and click are installed: 5 MB and 50 ms of each process's start.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

env.load_run()
BASE_DIR = env.PROJECT
STATE_DIR = env.PROJECT / ".portal"

# --- What this installation is -------------------------------------------------------------------

PORTAL_VERSION = __version__
DEBUG = env.flag("DEBUG", False)
# Set by `make run`: demo users, the embedded Postgres and model server, everything on 127.0.0.1.
PORTAL_DEMO = env.flag("PORTAL_DEMO", False)
PORTAL_DIAGNOSTICS = env.flag("PORTAL_DIAGNOSTICS", False)
# Only the web process may pool connections: qcluster forks, and forked pools share sockets.
PORTAL_PROCESS = env.text("PORTAL_PROCESS", "command")
MAINTENANCE = env.flag("MAINTENANCE", False)
BANNER = env.text("BANNER", "")

SECRET_KEY = env.text("SECRET_KEY")
if not PORTAL_DEMO and len(SECRET_KEY) < 40:
    raise ImproperlyConfigured(
        "SECRET_KEY is too short. Make one: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

# Former keys: what they signed or sealed is still read.
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")

# The loopback address always: health checks of the same host ask there.
ALLOWED_HOSTS = [*env.listing("ALLOWED_HOSTS", "localhost,[::1]"), "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
# Origins whose pages may call the API with a token.
CORS_ORIGINS = env.origins("CORS_ORIGINS")

# --- Traces and reports of errors ------------------------------------------------------------------

# Where spans go: a collector that takes OTLP over HTTP. OpenTelemetry's packages read all else that begins with OTEL_.
OTEL_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "portal")
# Where operators look at a trace, with {trace_id}.
TRACE_URL = env.text("TRACE_URL", "")
if TRACE_URL and not (TRACE_URL.startswith(("https://", "http://")) and "{trace_id}" in TRACE_URL):
    raise ImproperlyConfigured("TRACE_URL must be as https://traces.example.com/trace/{trace_id}.")
# Where docs/runbook.md is read; alarms lead to their section of it.
RUNBOOK_URL = env.text("RUNBOOK_URL", "").rstrip("#")
if RUNBOOK_URL and not RUNBOOK_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("RUNBOOK_URL must be as https://wiki.example.com/portal/runbook.")
SENTRY_DSN = env.text("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT", "")

# --- Parts ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "tasks.apps.TasksConfig",
    "tasks.ui",
    "accounts.apps.AccountsConfig",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "corsheaders",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    # `django.tasks` before Django 6 is a package.
    *(["django_tasks"] if django.VERSION < (6, 0) else []),
    *env.apps("EXTRA_APPS"),
]

MIDDLEWARE = [
    "portal.client_address.ClientAddressMiddleware",
    "portal.middleware.RequestIdMiddleware",
    *(["portal.middleware.TraceMiddleware"] if OTEL_ENDPOINT else []),
    # Before all that answers, so that browsers let pages read refusals and problems, too.
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ORIGINS else []),
    "tasks.api.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.SecurityHeadersMiddleware",
    "tasks.api.poll_route.PollMiddleware",
    "portal.middleware.RequestCountMiddleware",
    "accounts.languages.LanguageMiddleware",
    "portal.body_limits.BodyLimitMiddleware",
    "accounts.sessions.KeptAnswerMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.middleware.NotedUserMiddleware",
    "accounts.sessions.SessionAgeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.second_factor.SecondFactorMiddleware",
    "accounts.guessing.RetryAfterMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.database.middleware.DatabaseAwayMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [env.CODE / "templates" if env.IS_CHECKOUT else env.CODE / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tasks.ui.context.frame",
                "portal.web.context.portal",
            ],
            "libraries": {
                "look": "tasks.ui.look",
                "operations": "tasks.admin.tags",
                "people": "portal.web.people_tags",
                "results": "portal.web.result_tags",
            },
        },
    }
]

# --- Database ------------------------------------------------------------------------------------

# Postgres itself, where DATABASE_URL leads through a pooler that gives each transaction another connection.
_direct = env.database("DATABASE_DIRECT_URL") if env.text("DATABASE_DIRECT_URL", "") else None
_default = database_settings(env.database(), _direct, process=PORTAL_PROCESS)
# Threads that serve pages and API calls; each may hold a database connection.
WEB_THREADS = env.number("WEB_THREADS", 20, at_least=1)
# Requests that wait in a web process (event streams, long polls): they hold a socket, but no thread and no connection.
MAX_STREAMS = env.number("MAX_STREAMS", 500, at_least=1)
MAX_STREAMS_PER_USER = env.number("MAX_STREAMS_PER_USER", 50, at_least=1)
if PORTAL_PROCESS == "web":
    _default["OPTIONS"]["pool"] = pool_options(env.number("WEB_DB_POOL", 20, at_least=2))
else:
    _default["CONN_MAX_AGE"] = None
    _default["CONN_HEALTH_CHECKS"] = False
DATABASES = {"default": _default}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Workers -------------------------------------------------------------------------------------

CLUSTERS = env.names("CLUSTERS", "default")
Q_CLUSTER: dict[str, Any] = {
    "name": CLUSTERS[0],
    "ALT_CLUSTERS": {name: {} for name in CLUSTERS[1:]},
    "broker_class": "tasks.cluster.django_q.broker.TicketBroker",
    "workers": env.number("WORKERS", 2, at_least=1),
    # Handlers start processes of their own (Tesseract), which daemonic processes may not.
    "daemonize_workers": False,
    # Time limits are per task and kept by tasks.cluster; django-q2's own would reset our signals.
    "timeout": 86_400,
    "retry": 86_401,
    "guard_cycle": 0.25,
    "scheduler": False,
    "save_limit": -1,
    "recycle": 1_000_000_000,
    "label": "django-q2",
}
# A worker that holds more memory than this after a slice is replaced.
WORKER_MAX_RSS_MB = env.number("WORKER_MAX_RSS_MB", 1500, at_least=200)
# Threads of a worker for tasks that wait for model servers; 0 runs those like all others.
WORKER_THREADS = env.number("WORKER_THREADS", 32, at_most=200)
# Above these a node takes nothing new until it is well below again; 0 switches it off.
THROTTLE_CPU_PERCENT = env.number("THROTTLE_CPU_PERCENT", 0, at_most=100)
THROTTLE_MEMORY_PERCENT = env.number("THROTTLE_MEMORY_PERCENT", 92, at_most=100)
# A node that was told to stop (SIGTERM) lets running tasks go on for so long before it interrupts them.
STOP_GRACE_SECONDS = env.number("STOP_GRACE_SECONDS", 10)
NODE_NAME = env.line("NODE_NAME")

# --- Model servers -------------------------------------------------------------------------------

# Used beside those that operators add (docs/backends.md).
BACKENDS_CHAT = env.listing("BACKENDS_CHAT")
BACKENDS_EMBEDDINGS = env.listing("BACKENDS_EMBEDDINGS")
BACKENDS_IMAGES = env.listing("BACKENDS_IMAGES")
BACKENDS_VISION = env.listing("BACKENDS_VISION")
BACKENDS_SPEECH = env.listing("BACKENDS_SPEECH")
# How long a task is tried while none of its model servers answers; busy ones are waited for without an end.
BACKEND_PATIENCE_SECONDS = env.number("BACKEND_PATIENCE_SECONDS", 900, at_least=0)

# --- Requests to others' servers -------------------------------------------------------------------

# Own networks that URLs of users may lead to, and plain HTTP: `tasks.outbound.allowed` has the form.
OUTBOUND_ALLOW = env.listing("OUTBOUND_ALLOW")
# Where our own web servers listen: no URL leads there, even so. These are the ports of deploy/.
WEB_ADDRESSES = env.listing("WEB_ADDRESSES", "127.0.0.1:8000,127.0.0.1:8001")

# --- E-mail --------------------------------------------------------------------------------------

_mail: dict[str, Any] = env.mail()
EMAIL_HOST, EMAIL_PORT = _mail["HOST"], _mail["PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["HOST_USER"], _mail["HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["USE_TLS"], _mail["USE_SSL"]
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.line("EMAIL_FROM") or "portal@localhost"

# --- Python functions as tasks ---------------------------------------------------------------------

# Modules (and all below them) whose functions may be run; empty: none.
TASK_FUNCTIONS = env.listing("TASK_FUNCTIONS")
# The account whose lane `django.tasks` and TaskPoolExecutor use.
TASK_USER = env.text("TASK_USER", "")
TASKS = {"default": {"BACKEND": "tasks.interop.django_tasks.LaneBackend", "QUEUES": []}}

# --- People --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SIGNUP = env.text("SIGNUP", "closed")
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# Its limits are kept in the cache of one process, and lock accounts: ours (accounts.guessing) are not, and do not.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.RememberingLoginForm",
    "signup": "accounts.forms.CountedSignupForm",
    "change_password": "accounts.forms.CountedChangePasswordForm",
}
MFA_FORMS = {
    "authenticate": "accounts.forms.CountedAuthenticateForm",
    "reauthenticate": "accounts.forms.CountedReauthenticateForm",
    "add_webauthn": "accounts.forms.PasskeyForm",
    "login_webauthn": "accounts.forms.PasskeySignInForm",
}
# Asked on the sign-in page. Who is not remembered stays until the browser closes, or nobody was there for this long.
ACCOUNT_SESSION_REMEMBER = None
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = env.number("SESSION_HOURS", 12, at_least=1) * 3600
REMEMBERED_SESSION_SECONDS = env.number("SESSION_DAYS", 14, at_least=1) * 24 * 3600
STAFF_IDLE_SECONDS = env.number("STAFF_IDLE_MINUTES", 60) * 60
# Operators without a second factor are led to set one up, and reach nothing else (accounts.second_factor).
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", False)
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "web:home"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True

# --- Sharing -------------------------------------------------------------------------------------

# Whether people may give links to results away; without it links that were given lead nowhere.
SHARING = env.flag("SHARING", True)

# --- Limits of what comes in ---------------------------------------------------------------------

MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_MB", 100, at_least=1) * 1024 * 1024
MAX_BODY_BYTES = env.number("MAX_BODY_MB", 2, at_least=1) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = 100
# A form may name two thousand files.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500

# --- API -----------------------------------------------------------------------------------------

# Of one user, in each web process; ten seconds' worth may come at once.
MAX_READS_PER_SECOND = env.number("MAX_READS_PER_SECOND", 1000, at_least=1)

# The systems whose clients find their routes here (docs/compatibility.md).
COMPAT_ROUTES = sorted({letter.upper() for letter in env.listing("COMPAT_ROUTES", "A,C,D")})
if unknown_systems := set(COMPAT_ROUTES) - {"A", "C", "D"}:
    raise ImproperlyConfigured(
        f"COMPAT_ROUTES takes the letters A, C and D, or nothing; not {', '.join(sorted(unknown_systems))}."
    )

# For the API alone, and never with cookies: who calls from elsewhere has a token.
CORS_ALLOWED_ORIGINS = CORS_ORIGINS
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-none-match", "if-range", "last-event-id",
    "prefer", "range", "traceparent", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "accept-ranges", "allow", "content-disposition", "content-range", "etag", "idempotency-replayed", "link",
    "location", "preference-applied", "ratelimit", "ratelimit-policy", "retry-after", "reused", "www-authenticate",
    "x-request-id",
]  # fmt: skip

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tasks.api.authentication.TokenAuthentication",
        "tasks.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tasks.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tasks.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "tasks.api.schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "tasks.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "COMPACT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Portal",
    "DESCRIPTION": "Submit tasks, watch them, fetch results. Every answer of 400 or more is a problem (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # The document and its page are public: they say what the installation can do, not what anybody did.
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "TAGS": [
        {"name": name}
        for name in (
            "tasks",
            "batches",
            "schedules",
            "files",
            "webhooks",
            "task types",
            "queues",
            "account",
            "compatibility",
        )
    ],
    "POSTPROCESSING_HOOKS": ["tasks.api.openapi.complete_document"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- Files, language, time -----------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_ROOT = env.text("MEDIA_ROOT", str(STATE_DIR / "files" if PORTAL_DEMO else BASE_DIR / "media"))
# What users upload is for this account, and for its group where the files are shared with another one (a backup's).
FILE_GROUP_READABLE = env.flag("FILE_GROUP_READABLE", False)
FILE_UPLOAD_PERMISSIONS = 0o640 if FILE_GROUP_READABLE else 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750 if FILE_GROUP_READABLE else 0o700
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Anybody's, as in a package: a proxy may serve them.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or PORTAL_DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "tasks.ui.bundles.BundleFinder",
]
_UI_SHEETS = ("tokens", "base", "header", "layout", "buttons", "cards", "views", "statuses", "tables", "fields")
_PORTAL_SHEETS = ("frame", "lists", "filters", "forms", "files", "figures", "new", "task", "results", "document")
# Of several sheets, or of a module and what it imports.
STATIC_BUNDLES = {
    "ui/ui.css": [f"ui/css/{name}.css" for name in _UI_SHEETS],
    "portal/portal.css": [f"portal/css/{name}.css" for name in _PORTAL_SHEETS],
    "portal/portal.js": ["portal/js/portal.js"],
}
WHITENOISE_USE_FINDERS = PORTAL_DEMO
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_HANDLERS = [
    "tasks.api.uploads.NameLengthHandler",
    "portal.upload_handler.TidyUploadHandler",
]

LANGUAGE_CODE = "en"
# Each has a folder in portal/locale/, English besides: docs/languages.md.
LANGUAGES = languages_in(env.CODE / "portal" / "locale")
LOCALE_PATHS = [env.CODE / "portal" / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

# Never a database cache: it pickles (security.md).
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Security ------------------------------------------------------------------------------------

HTTPS = env.flag("HTTPS", not PORTAL_DEMO)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
# Whose X-Forwarded-For is believed: proxies by address, or so many of them whatever their address.
_proxies = env.text("TRUSTED_PROXIES", "").strip()
TRUSTED_PROXY_HOPS = env.number("TRUSTED_PROXIES", 0) if _proxies.isdecimal() else 0
TRUSTED_PROXIES = [] if _proxies.isdecimal() else env.networks("TRUSTED_PROXIES")
# Only behind a proxy that sets this header itself: else a client could claim to come by HTTPS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", HTTPS) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# A promise of the whole domain that cannot be taken back for months: so only for who asks for it.
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", False) and HTTPS
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Browsers take a cookie of this name only over HTTPS, for this very host: none of a neighbour's can pass for it.
_cookie_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
KNOWN_BROWSER_COOKIE_NAME = f"{_cookie_prefix}known_browser"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_NAME = f"{_cookie_prefix}language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "tasks.admin.error_pages.stale_form"
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Who may read /metrics without a token, when no proxy is between (portal.metrics.view).
METRICS_ALLOW = env.networks("METRICS_ALLOW", "127.0.0.0/8,::1")

# --- Logs ----------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
# Lines for people, or an object on each line for programs that collect them.
LOG_FORMAT = env.choice("LOG_FORMAT", "text" if DEBUG or PORTAL_DEMO else "json", of=("json", "text"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"class": "portal.log_format.JsonFormatter"},
        "text": {
            "class": "portal.log_format.LineFormatter",
            "format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s",
            "datefmt": "%H:%M:%S",
        },
    },
    "filters": {"refusals": {"()": "portal.log_refusals.RefusalFilter"}},
    "handlers": {
        "stderr": {"class": "portal.log_repeats.RepeatsHandler", "formatter": LOG_FORMAT},
        "refusals": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["refusals"]},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # A ticket is no news: tasks.cluster logs what happens to tasks.
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # A refused request is its client's news, not ours; what is our fault still is logged.
        "django.request": {"level": "ERROR"},
        # Anybody can have these written: what names no host of ours, too many fields, a forged form.
        "django.security": {"handlers": ["refusals"], "level": "WARNING", "propagate": False},
        "pdfminer": {"level": "ERROR"},
        # A line for each request to a model server says nothing that its task does not.
        "httpx": {"level": "WARNING"},
    },
}
