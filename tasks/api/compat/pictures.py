"""The picture that a client of system A sends: an address, the name of a stored file, or the bytes themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import cast

from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.models.token import Scope
from tasks import errors
from tasks.api.authentication import require_scope
from tasks.files import store_file
from tasks.models import File

NAME = "picture"


@dataclass(frozen=True)
class Picture:
    """What goes into the input of `image.analyze`; `stored` is the file that was made for it, if there is one."""

    input: dict[str, str]
    stored: File | None = None


def picture_of(request: Request, user: User, *, url: str | None, encoded: str | None) -> Picture:
    """Return a picture as `image.analyze` takes it; the bytes come first, as in system A.

    Raises:
        MissingScope: the token has nothing to do with files.
        InvalidBody: the bytes are not base64.
        InvalidFile: the user keeps no file of that name, or the bytes cannot be stored.
    """
    if encoded:
        require_scope(cast("ApiToken | None", request.auth), user, Scope.FILES)
        stored = store_file(user, name=NAME, chunks=[_bytes_of(encoded)])
        return Picture({"file": str(stored.pk)}, stored)
    given = (url or "").strip()
    if "://" in given:
        return Picture({"url": given})
    require_scope(cast("ApiToken | None", request.auth), user, Scope.FILES)
    return Picture({"file": str(_newest_named(user, given).pk)})


def _bytes_of(encoded: str) -> bytes:
    # With or without `data:image/png;base64,` before it.
    try:
        return base64.b64decode(encoded.partition(",")[2] if encoded.startswith("data:") else encoded, validate=True)
    except ValueError as error:
        raise errors.InvalidBody.at("/image_base64", "invalid_base64", "These are not bytes in base64.") from error


def _newest_named(user: User, given: str) -> File:
    name = given.rsplit("/", 1)[-1]
    found = File.objects.filter(owner=user, name=name).order_by("-id").first()
    if found is None:
        detail = (
            f"You keep no file named {name[:200]!r}: upload it first, or give an address that begins with https://."
        )
        raise errors.InvalidFile.at("/image_url", "unknown_file", detail)
    return found
