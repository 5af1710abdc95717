"""The verification of docs/api.md, in Python and JavaScript, against what the portal signs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.secrets import seal
from tasks.webhook_secrets import new_secret, signed_headers
from tests.api.clients import node
from tests.docs.pages import PROJECT

SECTION = (PROJECT / "docs" / "api.md").read_text().partition("\n## Webhooks\n")[2].partition("\n## ")[0]
BODY = '{"type":"task.succeeded","data":{"id":"01a2…"}}'

Verify = Callable[[str, dict[str, str], str], bool]


def block(language: str) -> str:
    [code] = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return str(code)


def in_python(secret: str, headers: dict[str, str], body: str) -> bool:
    names: dict[str, Callable[..., bool]] = {}
    exec(compile(block("python"), "docs/api.md", "exec"), names)
    return names["verify_webhook"](secret, headers, body.encode())


def in_javascript(secret: str, headers: dict[str, str], body: str, folder: Path) -> bool:
    program = folder / "verify.mjs"
    program.write_text(
        block("js")
        + f"\nconst [secret, headers, body] = {json.dumps([secret, headers, body])};"
        + "\nconsole.log(verifyWebhook(secret, headers, Buffer.from(body)));\n"
    )
    return {"true": True, "false": False}[node.run("node", program, in_folder=folder).strip()]


@pytest.fixture(params=["python", "js"])
def verify(request: pytest.FixtureRequest, tmp_path: Path) -> Verify:
    if request.param == "python":
        return in_python
    return lambda secret, headers, body: in_javascript(secret, headers, body, tmp_path)


def test_example_believes_what_the_portal_sent_and_nothing_else(verify: Verify) -> None:
    former, current = new_secret(), new_secret()
    headers = signed_headers([seal(former), seal(current)], message_id="01a2", body=BODY)
    assert verify(former, headers, BODY)
    assert verify(current, headers, BODY)
    assert not verify(new_secret(), headers, BODY)
    assert not verify(current, headers, BODY.replace("succeeded", "failed"))
    assert not verify(current, headers | {"webhook-id": "01a3"}, BODY)
    assert not verify(current, headers | {"webhook-signature": "v1,AAAA v1a,ü"}, BODY)
    assert not verify(current, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}, BODY)
