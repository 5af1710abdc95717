"""EMAIL_URL: read as a URL, and refused with a sentence without the password."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env

REFUSED = [
    "smtp://portal:SECRET@mail.example.com:abc",
    "smtp://portal:SECRET@mail.example.com:99999",
    "smtp://portal:SECRET[x@mail.example.com",
    "smtp://portal:SECRET#x@mail.example.com",
    "http://portal:SECRET@mail.example.com",
    "smtp://",
]


def test_url_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtps://portal:a%5Bb%40@mail.example.com")
    assert env.mail() == {
        "HOST": "mail.example.com", "PORT": 465, "HOST_USER": "portal", "HOST_PASSWORD": "a[b@",
        "USE_TLS": False, "USE_SSL": True,
    }  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_URL must be as smtp://.*%5B for") as refused:
        env.mail()
    assert "SECRET" not in str(refused.value)
    assert refused.value.__suppress_context__
