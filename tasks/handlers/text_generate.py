"""text.generate: a language model writes text; every piece is streamed as it is written."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tasks.backends.addresses import is_local
from tasks.backends.chat import (
    ChatAnswer,
    Piece,
    ask_chat,
    first_model,
    has_demo_only,
    known_models,
    knows_model,
    readiness,
)
from tasks.context import Context, Server
from tasks.one_of import exactly_one_of
from tasks.registry import EngineInfo, Input, Result, task_type

MAX_CHARACTERS = 400_000
MOST_NAMED = 20
# So much of the letters in other scripts: names and quotations in an English prompt are fewer.
MUCH_FOREIGN = 0.3
LOOKED_AT = 10_000
ENGLISH_ONLY = (
    "the demonstration model of this portal reads English only; other languages need a chat server, which an operator "
    "sets up"
)


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_CHARACTERS)


class TextGenerateInput(Input):
    model_config = ConfigDict(json_schema_extra=exactly_one_of("prompt", "messages"))

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

    @field_validator("model")
    @classmethod
    def _known(cls, model: str | None) -> str | None:
        if model and not knows_model(model):
            known = ", ".join(known_models()[:MOST_NAMED]) or "none"
            raise PydanticCustomError(
                "unknown_model", "no model server has this model; known: {known}", {"known": known}
            )
        return model or None

    @model_validator(mode="after")
    def _demo_model_reads_it(self) -> Self:
        said = self.prompt or "".join(message.content for message in self.messages or ())
        if _is_foreign(said) and has_demo_only():
            raise PydanticCustomError("language_unavailable", ENGLISH_ONLY, {})
        return self

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
    works_with="any OpenAI-compatible server; `make run` brings SmolLM2-135M, which reads English only",
    icon="sparkles",
    markdown=True,
)
def generate(ctx: Context, data: TextGenerateInput) -> TextGenerateResult:
    """Ask a chat server and stream its answer. When the server fails, another one starts the text over.

    Raises:
        BackendError, BackendBusy, GiveUp: see `tasks.context.Pool.call`.
    """
    ctx.progress(0.0, "asking the model")
    writer = _Writer(ctx, data)
    return ctx.backend("chat", demo=True).call(writer.write, model=data.model or "")


class _Writer:
    """Writes the text with whichever server it is given."""

    def __init__(self, ctx: Context, data: TextGenerateInput) -> None:
        self._ctx = ctx
        self._data = data
        self._count = 0

    def write(self, server: Server) -> TextGenerateResult:
        if self._count:
            # What the former server wrote is no beginning of what this one writes.
            self._ctx.restart_output()
            self._ctx.log("The model server broke off; another one starts the text over.")
            self._count = 0
        options = self._data.model_dump(include={"max_tokens", "temperature", "seed"}, exclude_none=True)
        model = self._data.model or first_model(server)
        answer = ask_chat(server, model=model, messages=_messages(self._data), options=options, on_piece=self._on_piece)
        return TextGenerateResult(
            text=answer.text,
            tokens=Tokens(prompt=answer.prompt_tokens, completion=answer.completion_tokens),
            finish_reason=answer.finish_reason,
            model=answer.model,
            engine=_engine(server, answer),
        )

    def _on_piece(self, piece: Piece) -> None:
        self._ctx.check()
        if piece.text:
            self._count += 1
            self._ctx.emit(piece.text)
            self._ctx.progress(min(0.99, self._count / self._data.max_tokens), "writing")


def _is_foreign(text: str) -> bool:
    """Say whether much of a text is in letters that are not Latin.

    >>> _is_foreign("What does 你好 mean in English?"), _is_foreign("用一句话介绍灯塔。")
    (False, True)
    """
    letters = [character for character in text[:LOOKED_AT] if character.isalpha()]
    # Latin letters with their accents end before Greek begins.
    return sum(letter >= "\u0370" for letter in letters) > MUCH_FOREIGN * len(letters)


def _messages(data: TextGenerateInput) -> list[dict[str, str]]:
    if data.messages:
        return [message.model_dump() for message in data.messages]
    return [{"role": "user", "content": data.prompt or ""}]


def _engine(server: Server, answer: ChatAnswer) -> EngineInfo:
    from tasks.engines import smollm2

    if is_local(server.base_url) and answer.model == smollm2.MODEL:
        return smollm2.engine()
    return answer.engine(server)
