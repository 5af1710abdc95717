"""Seals the secrets that must be read again: of webhooks, keys of model servers. The database alone gives none away.

The key comes from `SECRET_KEY`; what was sealed under one of `SECRET_KEY_FALLBACKS` can still be opened.
"""

from __future__ import annotations

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Keys for another purpose, or of another construction, get another label.
LABEL = b"portal.sealed.1"


class CannotOpen(Exception):
    """A sealed secret cannot be opened: the SECRET_KEY changed. Set the former one in SECRET_KEY_FALLBACKS."""


def seal(text: str) -> str:
    """Return the text encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA256), as printable ASCII."""
    return _cipher().encrypt(text.encode()).decode("ascii")


def open_sealed(sealed: str) -> str:
    """Return what `seal` was given.

    Raises:
        CannotOpen: neither SECRET_KEY nor a fallback sealed it, or it was changed.
    """
    try:
        return _cipher().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen(str(CannotOpen.__doc__)) from error


def reseal(sealed: str) -> str:
    """Return the same secret sealed under today's SECRET_KEY; for taking a fallback out of use.

    Raises:
        CannotOpen: as `open_sealed`.
    """
    return seal(open_sealed(sealed))


def _cipher() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@cache
def _fernet(secret_key: str) -> Fernet:
    # HKDF (RFC 5869): SECRET_KEY has entropy enough, so no slow derivation is needed.
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=LABEL).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
