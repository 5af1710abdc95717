"""Sends a mail by the server that EMAIL_URL names."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from tasks.errors import GiveUp, Retry

# Answers of this kind are for good (RFC 5321, section 4.2.1): the address or the mail is refused.
REFUSED = range(500, 600)


def is_set_up() -> bool:
    """Say whether mail can be sent from here at all."""
    return bool(settings.EMAIL_HOST)


def send(to: Sequence[str], *, subject: str, body: str, message_id: str, unsubscribe: str = "") -> None:
    """Send a mail of plain text to several people.

    Args:
        message_id: the same at every try, so that a mail which came twice can be told.
        unsubscribe: the address that ends such mails, by a page or by an empty form of a program (RFC 8058).

    Raises:
        Retry: the server was not reached, or wants the mail later.
        GiveUp: the server refuses it for good, or none is set up.
    """
    if not is_set_up():
        raise GiveUp("No server for e-mail is set up: set EMAIL_URL.")
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{message_id}@{domain}>"}
    if unsubscribe:
        headers |= {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMessage(subject, body, to=list(to), headers=headers)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise _of_code(min((code for code, _ in error.recipients.values()), default=500)) from error
    except smtplib.SMTPResponseException as error:
        raise _of_code(error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Retry("The server for e-mail was not reached.") from error


def _of_code(code: int) -> GiveUp | Retry:
    text = f"The server for e-mail answered with {code}."
    return GiveUp(text) if code in REFUSED else Retry(text)
