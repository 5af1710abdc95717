"""What checks the model is named to whoever cannot install it."""

from __future__ import annotations

import os
import shutil

import pytest

from portal.launch import spin


def test_ordinary_user_without_spin_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/cc" if program == "cc" else None)
    with pytest.raises(spin.SpinError, match=r"install the packages spin \(as root: apt-get install spin\)\.$"):
        spin.ensure()
