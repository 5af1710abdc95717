"""Whatever is missing is answered with the 404 page, no matter which code finds out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404

from tasks import errors


@contextmanager
def missing_is_404(missing: type[errors.TaskError] = errors.NotFound) -> Iterator[None]:
    """Answer 404 where this error is raised."""
    try:
        yield
    except missing as error:
        raise Http404(error.message) from error
