"""The web process with cheap password hashes: for tests that guess often. The real ones take a third of a second."""

from __future__ import annotations

from django.conf import settings

import portal.asgi  # noqa: F401
from portal import web_server

if __name__ == "__main__":
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    web_server.main()
