"""Submits what a form holds: a task, or a batch where several files were chosen for a type that takes one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext

from portal.web.forms.task_input import InputForm
from portal.web.forms.task_options import OptionsForm
from portal.web.people import SignedInRequest, origin_of
from portal.web.uploads import MOST_FILES
from tasks import errors
from tasks.lifecycle.preview import Preview, preview_task
from tasks.lifecycle.submission import Submission, Submitted, SubmittedBatch
from tasks.lifecycle.submit import submit_task
from tasks.lifecycle.submit_batch import submit_batch
from tasks.notices.wish import wish_by_default

LONGEST_NAME = 200


def submit_form(
    request: SignedInRequest, form: InputForm, options: OptionsForm, *, copy_of: UUID | None = None
) -> str | None:
    """Submit valid forms and return the address of what was made; or show what is wrong at its fields and return None.

    Raises:
        Refused: nothing is wrong with the forms; it cannot be submitted now.
    """
    submissions = _submissions(form, options, copy_of)
    once = submitted_once(request, [form.definition.name, form.task_inputs, options.chosen])
    with _faults_shown(form, options):
        if len(submissions) > MOST_FILES:
            form.add_error(None, gettext("At most %(most)s files at once.") % {"most": f"{MOST_FILES:,}"})
        elif len(submissions) == 1:
            submitted = submit_task(request.user, submissions[0], **once)
            tell_replayed(request, submitted)
            wish_by_default(request.user, submitted.task, origin=origin_of(request))
            return reverse("web:task", args=[submitted.task.id])
        else:
            made = submit_batch(request.user, submissions, name=_batch_name(request), atomic=True, **once)
            tell_replayed(request, made)
            wish_by_default(request.user, made.batch, origin=origin_of(request))
            return reverse("web:batch", args=[made.batch.id])
    return None


def submitted_once(request: SignedInRequest, content: list[Any]) -> dict[str, Any]:
    """Return what tells a submission from others: a double click or a resent form is the same, a changed one is not."""
    key = request.POST.get("submit_key", "").replace("\0", "")[:64]
    if not key:
        # It is not known which form this is: the same text may be meant anew.
        return {}
    text = json.dumps(content, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"idempotency_key": f"form-{key}-{digest}", "body_sha256": digest}


def tell_replayed(request: SignedInRequest, submitted: Submitted | SubmittedBatch) -> None:
    """Say that nothing new was made where a form came again: it may have been meant so, after the back button."""
    if submitted.replayed:
        messages.info(
            request,
            gettext("This was submitted already, and is shown here. To submit it once more, reload the form first."),
        )


def preview_form(request: SignedInRequest, form: InputForm, options: OptionsForm) -> Preview | None:
    """Return what submitting valid forms would bring about, of several tasks for the first; or show what is wrong.

    Raises:
        Refused: as `submit_form`.
    """
    preview = None
    with _faults_shown(form, options):
        preview = preview_task(request.user, _submissions(form, options)[0])
    # None where it was refused.
    return preview  # noqa: RET504


def _submissions(form: InputForm, options: OptionsForm, copy_of: UUID | None = None) -> list[Submission]:
    name = form.definition.name
    return [Submission(type=name, input=each, copy_of=copy_of, **options.chosen) for each in form.task_inputs]


@contextmanager
def _faults_shown(form: InputForm, options: OptionsForm) -> Iterator[None]:
    """Show what is found wrong with the forms at their fields."""
    try:
        yield
    except errors.BatchRefused as error:
        options.add_faults(form.add_batch_faults(error.errors))
    except errors.InvalidInput as error:
        options.add_faults(form.add_faults(error.errors or [errors.Fault("/input", error.code, error.message)]))


def _batch_name(request: SignedInRequest) -> str:
    """Return the name of the folder that was chosen, as its page found it."""
    return " ".join(request.POST.get("batch_name", "").replace("\0", "").split())[:LONGEST_NAME]
