"""System C: text to image and speech recognition, formerly a worker pool in Go."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Literal, cast
from uuid import UUID

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from pydantic import ConfigDict, Field
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from tasks import errors
from tasks.api import refusals
from tasks.api.authentication import reader_id, require_scope
from tasks.api.bodies import Query, check_body, read_body, read_query
from tasks.api.compat.submitting import TheirBody, in_their_words, kept_if, submit_theirs
from tasks.api.compat.words import SYSTEM_C, error_text
from tasks.api.idempotency import idempotency_key
from tasks.api.link_makers import check_maker, maker_of
from tasks.api.objects.shape import Shape
from tasks.api.parsers import StrictJSONParser
from tasks.api.schema import operation
from tasks.api.signed_links import signed_path
from tasks.api.uploads import form_file
from tasks.api.views.tasks import IDEMPOTENCY, POLL_AFTER_SECONDS, SUBMIT_PROBLEMS, CountedView
from tasks.files import store_file
from tasks.lifecycle.read import read_task
from tasks.lifecycle.submit import Submission, Submitted, find_submitted, submit_task
from tasks.models import Task, TaskContent
from tasks.one_of import exactly_one_of
from tasks.statuses import Status

LETTER = "C"
TAG = "compatibility"
SALT = "tasks.api.compat.system_c"
LINK_SECONDS = 3600
DRAW_NAMES = {"prompt": "prompt", "size": "size", "seed": "seed", "count": "n"}
# For the document: what is refused is refused as `size`.
SIDE: dict[str, Any] = {"minimum": 64, "maximum": 2048}
SPEECH_NAMES = {"file": "file", "url": "audio_url", "language": "language"}


class DrawImage(TheirBody):
    prompt: str
    size: str | None = Field(default=None, description="width x height, as 512x512")
    width: int | None = Field(default=None, json_schema_extra=SIDE)
    height: int | None = Field(default=None, description="with width, instead of size", json_schema_extra=SIDE)
    seed: int | None = None
    n: int | None = Field(default=None, description="how many")

    def input(self) -> dict[str, Any]:
        """Return it as the input of `image.generate`."""
        size = f"{self.width}x{self.height}" if self.size is None and self.width and self.height else self.size
        given = {"prompt": self.prompt, "size": size, "seed": self.seed, "count": self.n}
        return {name: value for name, value in given.items() if value is not None}


class RecogniseSpeech(TheirBody):
    model_config = ConfigDict(json_schema_extra=exactly_one_of("audio_url", "file"))

    audio_url: str | None = None
    file: str | None = Field(default=None, description="id of an uploaded file, instead of audio_url")
    language: str | None = None

    def input(self) -> dict[str, Any]:
        """Return it as the input of `speech.transcribe`."""
        given = {"url": self.audio_url, "file": self.file, "language": self.language}
        return {name: value for name, value in given.items() if value is not None}


LANGUAGE = {"type": "string", "pattern": r"^([a-z]{2,3}|auto)$"}
# In a form, `file` is the recording itself.
SPEECH_BODIES = {
    "application/json": RecogniseSpeech,
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}, "language": LANGUAGE},
    },
}


class AcceptedC(Shape):
    """System C's answer to a submission."""

    task_id: UUID
    status: Literal["QUEUED", "RUNNING", "DONE", "FAILED"]


class TaskC(AcceptedC):
    """A task as system C shows it."""

    result_url: str | None = Field(description="of the result's bytes, good for an hour without a token")
    error: str | None


class ImageView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "system_c_draw_image", tag=TAG, body=DrawImage, parameters=[IDEMPOTENCY], answers={200: AcceptedC},
        headers=["Idempotency-Replayed", "RateLimit-Policy", "RateLimit"], problems=SUBMIT_PROBLEMS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Draw an image, as system C did.

        The same as `image.generate`.
        """
        body = read_body(request, DrawImage)
        return _accepted(submit_theirs(self.caller, request, Submission("image.generate", body.input()), DRAW_NAMES))


class SpeechView(CountedView):
    scopes: ClassVar = {"POST": "tasks:write"}
    parser_classes = [StrictJSONParser, MultiPartParser]

    @operation(
        "system_c_recognise_speech", tag=TAG, body=SPEECH_BODIES, parameters=[IDEMPOTENCY], answers={200: AcceptedC},
        headers=["Idempotency-Replayed", "RateLimit-Policy", "RateLimit"],
        problems=[*SUBMIT_PROBLEMS, errors.InputTooLarge, errors.StorageFull, errors.StorageUnavailable],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Recognise speech, as system C did.

        The same as `speech.transcribe`. The recording comes as the form field `file`, which needs the scope `files`,
        too, or by its address.
        """
        if request.content_type.startswith("multipart/form-data"):
            return _accepted(_submit_recording(self, request))
        body = read_body(request, RecogniseSpeech)
        submission = Submission("speech.transcribe", body.input())
        return _accepted(submit_theirs(self.caller, request, submission, SPEECH_NAMES))


def reads_task(request: HttpRequest) -> bool:
    """Say whether a request for the list of tasks is system C's for one task."""
    return request.method in {"GET", "HEAD"} and "task_id" in request.GET


class OneTask(Query):
    task_id: UUID


def poll(request: HttpRequest) -> HttpResponse:
    """Answer one task in system C's shape, whatever made it: one statement, without DRF.

    Raises:
        InvalidParameter: `task_id` is no id, or is not alone.
        NotFound: no such task of the caller.
        MissingScope: it made a file, and the token does not read files.
    """
    owner = reader_id(request, "tasks:read")
    task_id = read_query(request.GET, OneTask).task_id
    task, content = read_task(task_id, owner)
    body = {
        "task_id": str(task.pk),
        "status": SYSTEM_C.of(task),
        "result_url": _result_url(request, task, content),
        "error": error_text(task),
    }
    headers = {} if task.done else {"Retry-After": str(POLL_AFTER_SECONDS)}
    return HttpResponse(json.dumps(body, ensure_ascii=False), content_type="application/json", headers=headers)


@csrf_exempt
@require_safe
def result_bytes(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Answer a result that is no file, to whoever has the signed address: its text, or else its JSON.

    Raises:
        InvalidSignature, LinkExpired: the address was not made here, or its hour is over, or its maker has ended.
        ContentPurged: the result was deleted meanwhile.
    """
    try:
        given = f"{task_id}:{request.GET.get('maker', '')}:{request.GET.get('signature', '')}"
        _, maker = signing.TimestampSigner(salt=SALT).unsign(given, max_age=LINK_SECONDS).split(":")
    except signing.SignatureExpired as error:
        raise refusals.LinkExpired("The address was good for an hour. Ask for the task again.") from error
    except signing.BadSignature as error:
        raise refusals.InvalidSignature("The address was not signed by this portal.") from error
    # As with files: what a disabled user gave away is closed.
    kept = TaskContent.objects.filter(task=task_id, task__owner__is_active=True).select_related("task").first()
    if kept is None or kept.result is None:
        raise errors.ContentPurged
    check_maker(maker, owner_id=kept.task.owner_id, scope="tasks:read")
    result = kept.result
    if isinstance(result.get("text"), str):
        content, content_type = result["text"], "text/plain; charset=utf-8"
    else:
        content, content_type = json.dumps(result, ensure_ascii=False), "application/json"
    return HttpResponse(
        content.encode("utf-8", "replace"),
        content_type=content_type,
        # As with files: strangers' words on our origin have no rights.
        headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"},
    )


def _result_url(request: HttpRequest, task: Task, content: TaskContent | None) -> str | None:
    """Return an address of the result's bytes that needs no token for an hour: the image, else the text or JSON."""
    if task.status != Status.SUCCEEDED or content is None or content.result is None:
        return None
    if images := content.result.get("images"):
        # The address is one of a file, which another scope reads.
        reader_id(request, "files")
        return request.build_absolute_uri(signed_path(UUID(images[0]), maker=maker_of(request), seconds=LINK_SECONDS))
    maker = maker_of(request)
    signature = signing.TimestampSigner(salt=SALT).sign(f"{task.pk}:{maker}").removeprefix(f"{task.pk}:{maker}:")
    query = f"maker={maker}&signature={signature}"
    return request.build_absolute_uri(f"{reverse('api:compat-c-result', args=[task.pk])}?{query}")


def _accepted(submitted: Submitted) -> Response:
    response = Response({"task_id": str(submitted.task.pk), "status": SYSTEM_C.on_submission(submitted)})
    if submitted.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _submit_recording(view: CountedView, request: Request) -> Submitted:
    """Store the recording and submit its task; a recording whose task was not accepted is not kept.

    Raises:
        MissingScope: the token does not upload files.
        As `submit_task`.
    """
    require_scope(cast(ApiToken | None, request.auth), view.caller, "files")
    given = form_file(request)
    fields = check_body({name: value for name, value in request.POST.items() if name == "language"}, RecogniseSpeech)
    key = idempotency_key(request)
    digest = _recording_digest(request, fields, given) if key else ""
    # Before it is stored: there may be no room for a second one.
    if (earlier := find_submitted(view.caller, idempotency_key=key, body_sha256=digest)) is not None:
        return earlier
    file = store_file(view.caller, name=str(given.name), chunks=given.chunks())
    submission = Submission("speech.transcribe", fields.input() | {"file": str(file.pk)})
    with in_their_words(SPEECH_NAMES):
        return kept_if(file, lambda: submit_task(view.caller, submission, idempotency_key=key, body_sha256=digest))


def _recording_digest(request: Request, fields: RecogniseSpeech, given: UploadedFile[Any]) -> str:
    """Return what identifies the request: the recording by its content, for it gets an id of its own each time."""
    content = hashlib.sha256()
    for chunk in given.chunks():
        content.update(chunk)
    return hashlib.sha256(json.dumps([request.path, fields.input(), content.hexdigest()]).encode()).hexdigest()
