"""Storing files: what cannot be stored leaves nothing behind."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tasks import errors
from tasks.files import store_file
from tasks.models import File

pytestmark = pytest.mark.django_db


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As a full disk: writing fails in the middle of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_that_does_not_fit_on_the_disk_leaves_no_part_of_itself(alice: User, settings: Any) -> None:
    with files_no_larger_than(100_000), pytest.raises(errors.StorageFull):
        store_file(alice, name="large.txt", chunks=[b"x" * 500_000])
    assert not File.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
