"""A small server for e-mail (RFC 5321) on the loopback interface that takes what it is sent, or refuses it."""

from __future__ import annotations

import socketserver
from contextlib import AbstractContextManager
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.serving import serving


class MailServer(socketserver.ThreadingTCPServer):
    """`answers` are given to the next mails, 250 to all after them; `refused` are addresses that it does not know."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.answers: list[bytes] = []
        self.refused: set[str] = set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        recipients: list[str] = []
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"RCPT":
                address = line.partition(b"<")[2].partition(b">")[0].decode()
                if address in self.server.refused:
                    self.wfile.write(b"550 nobody here\r\n")
                    continue
                recipients.append(address)
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self._take(recipients)
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")

    def _take(self, recipients: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        answer = self.server.answers.pop(0) if self.server.answers else b"250 taken"
        if answer.startswith(b"250"):
            mail = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.server.received.append((recipients, mail))
        self.wfile.write(answer + b"\r\n")


def running_mail_server() -> AbstractContextManager[MailServer]:
    return serving(MailServer())
