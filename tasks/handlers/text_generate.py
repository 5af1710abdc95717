"""text.generate: a language model writes text; every piece is streamed as it is written."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.backends.chat import Piece, first_model, is_local, readiness, stream_chat
from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, task_type

MAX_CHARACTERS = 400_000


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_CHARACTERS)


class TextGenerateInput(Input):
    prompt: str | None = Field(
        default=None, title="Prompt", description="What the model is told. This or messages.", max_length=MAX_CHARACTERS
    )
    messages: list[Message] | None = Field(
        default=None, title="Messages", description="A conversation so far, instead of a prompt.", max_length=500
    )
    model: str | None = Field(
        default=None, title="Model", description="Empty: the one that the server names first.", max_length=200
    )
    max_tokens: int = Field(default=256, title="Most tokens", description="How much to write.", ge=1, le=8192)
    temperature: float = Field(
        default=0.7,
        title="Temperature",
        description="0: always the likeliest word; higher: more varied.",
        ge=0,
        le=2,
        allow_inf_nan=False,
    )
    seed: int | None = Field(
        default=None, title="Seed", description="The same seed, the same text, where the server can.", ge=0, lt=2**32
    )

    @model_validator(mode="after")
    def _one_of_prompt_and_messages(self) -> Self:
        if bool(self.prompt and self.prompt.strip()) == bool(self.messages):
            raise ValueError("give either prompt or messages, and not an empty one")
        return self


class Tokens(BaseModel):
    prompt: int | None = Field(description="null where the server does not count")
    completion: int | None


class TextGenerateResult(Result):
    text: str
    tokens: Tokens
    finish_reason: str = Field(description="stop: the model ended by itself; length: max_tokens were reached")
    model: str


@dataclass
class _Answer:
    """The pieces so far, put together."""

    parts: list[str] = field(default_factory=list)
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str = ""
    fingerprint: str = ""

    def add(self, piece: Piece) -> None:
        self.parts.append(piece.text)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.model = piece.model or self.model
        self.fingerprint = piece.fingerprint or self.fingerprint
        if piece.completion_tokens is not None:
            self.prompt_tokens, self.completion_tokens = piece.prompt_tokens, piece.completion_tokens


EXAMPLE: dict[str, Any] = {"prompt": "Write one sentence about lighthouses.", "max_tokens": 60}


@task_type(
    name="text.generate",
    title="Generate text",
    description="A language model continues a prompt or a conversation; the text appears as it is written.",
    queue="text",
    input=TextGenerateInput,
    result=TextGenerateResult,
    example=EXAMPLE,
    samples=[EXAMPLE | {"seed": 7}],
    est_seconds=5.0,
    readiness=readiness,
    waits=True,
    icon="text",
)
def generate(ctx: Context, data: TextGenerateInput) -> TextGenerateResult:
    """Ask a chat server and stream its answer.

    Raises:
        BackendError, BackendBusy, Retry, GiveUp: see `stream_chat`.
    """
    base_url = ctx.backend("chat")
    ctx.progress(0.0, "asking the model")
    model = data.model or first_model(base_url)
    answer = _Answer(model=model)
    options = data.model_dump(include={"max_tokens", "temperature", "seed"}, exclude_none=True)
    with closing(stream_chat(base_url, model=model, messages=_messages(data), options=options)) as pieces:
        for count, piece in enumerate(pieces):
            ctx.check()
            answer.add(piece)
            if piece.text:
                ctx.emit(piece.text)
                ctx.progress(min(0.99, count / data.max_tokens), "writing")
    return TextGenerateResult(
        text="".join(answer.parts),
        tokens=Tokens(prompt=answer.prompt_tokens, completion=answer.completion_tokens),
        finish_reason=answer.finish_reason,
        model=answer.model,
        engine=_engine(base_url, answer),
    )


def _messages(data: TextGenerateInput) -> list[dict[str, str]]:
    if data.messages:
        return [message.model_dump() for message in data.messages]
    return [{"role": "user", "content": data.prompt or ""}]


def _engine(base_url: str, answer: _Answer) -> EngineInfo:
    from tasks.engines import smollm2

    if is_local(base_url) and answer.model == smollm2.MODEL:
        return smollm2.engine()
    server = urlsplit(base_url).netloc.rpartition("@")[2]
    return EngineInfo(name=answer.model, version=answer.fingerprint or "not told", kind="backend", note=f"at {server}")
