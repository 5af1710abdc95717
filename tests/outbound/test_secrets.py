"""Sealed secrets: what the database holds gives nothing away, and keys can be changed."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.secrets import CannotOpen, open_sealed, reseal, seal

KEY = "a-secret-key-a-secret-key-a-secret-key-a-secret-key"
OTHER = "another-key-another-key-another-key-another-key"


def test_what_was_sealed_is_opened_and_not_readable(settings: Any) -> None:
    settings.SECRET_KEY = KEY
    sealed = seal("sk-\u00fcber-secret")
    assert open_sealed(sealed) == "sk-\u00fcber-secret"
    assert "secret" not in sealed
    assert seal("sk-\u00fcber-secret") != sealed, "equal secrets are not seen to be equal"


def test_former_key_opens_and_the_new_one_seals(settings: Any) -> None:
    settings.SECRET_KEY = KEY
    sealed = seal("words")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER, [KEY]
    assert open_sealed(sealed) == "words"
    fresh = reseal(sealed)
    settings.SECRET_KEY_FALLBACKS = []
    assert open_sealed(fresh) == "words"
    with pytest.raises(CannotOpen, match="SECRET_KEY_FALLBACKS"):
        open_sealed(sealed)


@pytest.mark.parametrize("change", [lambda text: text[:-4] + "AAA=", lambda text: "", lambda text: "nonsense"])
def test_changed_seal_is_refused(settings: Any, change: Any) -> None:
    settings.SECRET_KEY = KEY
    with pytest.raises(CannotOpen):
        open_sealed(change(seal("words")))
