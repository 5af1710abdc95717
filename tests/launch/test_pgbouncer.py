"""What some tests go through is named to whoever cannot install it."""

from __future__ import annotations

import os
import shutil

import pytest

from portal.launch import pgbouncer


def test_ordinary_user_without_pgbouncer_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda program, path=None: None)
    with pytest.raises(pgbouncer.PgbouncerError, match=r"apt-get install pgbouncer\), or leave them out .*not pooler"):
        pgbouncer.ensure()
