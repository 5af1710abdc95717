"""answer.complete: answers a question from a text that comes with it, or declines."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.handlers.answer_reply import WORKS_WITH, readiness, reply_to
from tasks.handlers.rag_query import Question
from tasks.registry import Input, Result, task_type


class AnswerCompleteInput(Input):
    question: Question = Field(title="Question")
    context: str = Field(
        title="Text",
        description="Where the answer is looked for; often the text of another task's result.",
        min_length=1,
        max_length=1_000_000,
    )


class ContextPassage(BaseModel):
    text: str = Field(description="as the text says it")
    score: float = Field(description="how well it answers, from 0 to 1")


class AnswerCompleteResult(Result):
    answer: str | None = Field(
        description="quoted from the first passage, or written by a chat backend from those it names by number; "
        "null when the text does not say it"
    )
    declined: bool
    reason: str | None = Field(default=None, description="why there is no answer")
    passages: list[ContextPassage] = Field(description="the one with the answer first, then the nearest others")
    warnings: list[str] = Field(default=[], description="what makes the answer less sure")


EXAMPLE: dict[str, Any] = {
    "question": "Who polished the mirror?",
    "context": "The telescope stands on a hill. Its mirror was polished by Clara Winter in Jena. It weighs two tonnes.",
}


@task_type(
    name="answer.complete",
    title="Answer from a text",
    description="Answers a question with sentences quoted from the given text. Says so when the text lacks the answer.",
    queue="text",
    input=AnswerCompleteInput,
    result=AnswerCompleteResult,
    example=EXAMPLE,
    samples=[EXAMPLE],
    est_seconds=1.0,
    readiness=readiness,
    works_with=WORKS_WITH,
    icon="message-square-text",
)
def complete(ctx: Context, data: AnswerCompleteInput) -> AnswerCompleteResult:
    """Find the sentences of the context that answer the question."""
    from tasks.engines.passages import Source

    reply = reply_to(ctx, data.question, [Source(data.context)])
    return AnswerCompleteResult(
        answer=reply.answer,
        declined=reply.answer is None,
        reason=reply.declined,
        passages=[ContextPassage(text=quote.text, score=quote.score) for quote in reply.quotes],
        warnings=reply.warnings,
        engine=reply.engine,
    )
