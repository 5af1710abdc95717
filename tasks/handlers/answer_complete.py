"""answer.complete: answers a question from a text that comes with it, or declines."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.handlers.rag_query import Question, readiness, reply_to
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
    works_with="bm25s, wordllama",
    icon="message-square-text",
)
def complete(ctx: Context, data: AnswerCompleteInput) -> AnswerCompleteResult:
    """Find the sentences of the context that answer the question."""
    from tasks.engines import answering, embeddings
    from tasks.engines.passages import Source, split_source

    ctx.progress(0.0, "finding the answer" if embeddings.is_loaded() else "loading the engine, finding the answer")
    passages = split_source(Source(data.context))
    finding = answering.answer_question(data.question, passages, check=ctx.check)
    reply = reply_to(ctx, data.question, finding)
    return AnswerCompleteResult(
        answer=reply.answer,
        declined=reply.answer is None,
        reason=reply.declined,
        passages=[ContextPassage(text=hit.passage.text, score=hit.score) for hit in reply.hits],
        engine=reply.engine,
    )
