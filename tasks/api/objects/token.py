"""An API token as the API shows it: its secret only once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from accounts.models import ApiToken
from tasks.api.objects.shape import Shape, Urls, write_time

BASE = "/api/v1/tokens"


class Token(Shape):
    """A credential of a program."""

    id: str = Field(description="16 hexadecimal digits; the token's text begins with ptl_ and them")
    name: str
    scopes: list[str]
    current: bool = Field(description="whether this request was sent with it")
    created_at: datetime
    expires_at: datetime | None = Field(description="null: never")
    last_used_at: datetime | None = Field(description="to about a minute")
    urls: Urls


class NewToken(Token):
    """A token that was made just now."""

    token: str | None = Field(
        description="its text: shown here and never again; null where the key gave an earlier answer"
    )


def token_object(token: ApiToken, current: ApiToken | None) -> dict[str, Any]:
    """Return a token as JSON; `current` is the one that the request was sent with."""
    return {
        "id": token.pk,
        "name": token.name,
        "scopes": list(token.scopes),
        "current": current is not None and current.pk == token.pk,
        "created_at": write_time(token.created_at),
        "expires_at": write_time(token.expires_at),
        "last_used_at": write_time(token.last_used_at),
        "urls": {"self": f"{BASE}/{token.pk}"},
    }
