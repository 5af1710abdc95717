"""The picture that a client of system A sends: an address, the name of a stored file, or the bytes themselves."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.models.token import Scope
from tasks import errors
from tasks.api.authentication import require_scope
from tasks.api.compat.shapes_a import TheirPicture
from tasks.api.compat.submitting import kept_if, key_of
from tasks.files import store_file
from tasks.lifecycle.submit import Submitted, find_submitted
from tasks.models import File

NAME = "picture"


@dataclass(frozen=True)
class Picture:
    """What goes into the input of `image.analyze`; `stored` is the file that was made for it, if there is one."""

    input: dict[str, str]
    stored: File | None = None


def submit_with_picture(
    user: User, request: Request, body: TheirPicture, submit: Callable[[Picture], Submitted]
) -> Submitted:
    """Look the picture up, or store it, and submit; what the key gave before needs no picture any more.

    Raises:
        MissingScope: the picture is a file, and the token has nothing to do with files.
        InvalidBody: the bytes are not base64.
        InvalidFile: the user keeps no file of that name, or the bytes cannot be stored.
        As `submit`.
    """
    if _is_file(body):
        require_scope(cast("ApiToken | None", request.auth), user, Scope.FILES)
    if (earlier := find_submitted(user, **key_of(request))) is not None:
        return earlier
    picture = _picture_of(user, body)
    return kept_if(picture.stored, lambda: submit(picture))


def _is_file(body: TheirPicture) -> bool:
    return bool(body.image_base64) or "://" not in (body.image_url or "")


def _picture_of(user: User, body: TheirPicture) -> Picture:
    """Return a picture as `image.analyze` takes it; the bytes come first, as in system A."""
    if body.image_base64:
        stored = store_file(user, name=NAME, chunks=[_bytes_of(body.image_base64)])
        return Picture({"file": str(stored.pk)}, stored)
    given = (body.image_url or "").strip()
    return Picture({"file": str(_newest_named(user, given).pk)} if _is_file(body) else {"url": given})


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
