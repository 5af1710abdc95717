"""What docs/backends.md tells to type is understood, and what it says of settings is so."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tasks.backends import leases
from tasks.backends.addresses import parse_address
from tasks.models import Backend
from tests.docs.pages import PROJECT

PAGE = (PROJECT / "docs" / "backends.md").read_text()


@pytest.mark.django_db
def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key-for-images")
    commands = re.findall(r"^\S*python manage\.py backend (.*)$", PAGE, re.MULTILINE)
    # Nobody answers at these addresses here, whatever they are called.
    elsewhere = [re.sub(r"https?://[\w.]+(:\d+)?", "http://127.0.0.1:9", line) for line in commands]
    assert len(commands) == 8
    for line in elsewhere:
        words = shlex.split(line.replace("/etc/portal/image-keys", str(keys)))
        with pytest.raises(CommandError, match="does not work") if words[0] == "test" else nullcontext():
            call_command("backend", *words, stdout=io.StringIO())
    assert Backend.objects.get().keys.count() == 1


def test_addresses_of_the_page_are_addresses() -> None:
    lines = re.findall(r"^BACKENDS_\w+=(.*)$", PAGE, re.MULTILINE)
    addresses = [parse_address(address) for line in lines for address in line.split(",")]
    assert [address.key for address in addresses] == ["", "", "KEY"]
    assert all(address.base_url.endswith("/v1") for address in addresses)


def test_figures_of_the_page_are_those_of_the_code() -> None:
    assert leases.FAILURES_TO_OPEN == 3
    assert "Three failures in a row" in PAGE
    assert f"no calls for {leases.COOL_DOWN_SECONDS:.0f} seconds" in PAGE
    assert f"{leases.REST_SECONDS:.0f} s if it did not say" in PAGE
    assert leases.LONGEST_COOL_DOWN_SECONDS == 120
    assert "up to two minutes" in PAGE
