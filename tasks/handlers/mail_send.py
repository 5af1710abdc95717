"""mail.send: one mail. `tasks.mails` submits it; tried again like every task."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Result, RetryPolicy, task_type

EXAMPLE: dict[str, Any] = {"to": ["olga@example.com"], "subject": "An alarm", "body": "It is over.", "message_id": "1"}


class MailInput(Input):
    to: list[str] = Field(title="To", min_length=1, max_length=50)
    subject: str = Field(title="Subject", max_length=200)
    body: str = Field(title="Text")
    message_id: str = Field(title="Message-ID", description="The same at every try.")
    unsubscribe: str = Field("", title="Unsubscribe", description="The address that ends mails of its kind.")


class MailResult(Result):
    """The server has taken it."""

    recipients: int


@task_type(
    name="mail.send",
    reusable=False,
    title="Send a mail",
    description="Sends one mail.",
    queue="system",
    input=MailInput,
    result=MailResult,
    example=EXAMPLE,
    timeout=60,
    max_attempts=10,
    # A mail server that is away is waited for during some hours.
    retry=RetryPolicy(base_seconds=30, cap_seconds=3_600),
    est_seconds=0.5,
    waits=True,
    internal=True,
)
def send_mail(ctx: Context, data: MailInput) -> MailResult:
    """Hand the mail to the server."""
    from tasks.outbound import mail

    mail.send(data.to, subject=data.subject, body=data.body, message_id=data.message_id, unsubscribe=data.unsubscribe)
    return MailResult(recipients=len(data.to), engine=EngineInfo(name="portal", version="1"))
