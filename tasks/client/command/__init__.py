"""The command line of the client: reads the words, does one thing, and says how it went by its exit code.

Standard output has what was asked for and nothing else; bars, notes and errors go to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import httpx

from ..errors import PortalError
from ..portal import Client
from .actions import ACTIONS
from .arguments import read_arguments
from .output import note
from .usage import ExitCode, UsageError


def portal() -> NoReturn:
    """Be the command `portal`."""
    sys.exit(main(sys.argv[1:]))


def main(words: Sequence[str], *, name: str = "portal") -> int:
    """Run one command and return its exit code; `name` is what was typed before the words."""
    try:
        return _run(words, name)
    except UsageError as error:
        note(f"portal: {error}")
        return ExitCode.USAGE
    except PortalError as error:
        note(f"portal: {error.detail}")
        for fault in error.errors:
            note(f"  {fault.get('pointer') or '/'}: {fault.get('detail', '')}")
        if error.request_id and error.status >= 500:
            note(f"  Tell the operator this request id: {error.request_id}")
        return ExitCode.REFUSED
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        note(f"portal: The portal cannot be reached: {error or type(error).__name__}")
        return ExitCode.REFUSED
    except BrokenPipeError:
        # Who read our output has enough (`| head`). Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except KeyboardInterrupt:
        note("Interrupted.")
        return ExitCode.INTERRUPTED


def _run(words: Sequence[str], name: str) -> int:
    arguments = read_arguments(words, name)
    with Client(arguments.url, arguments.token, timeout=arguments.request_timeout) as client:
        code: int = ACTIONS[arguments.command](client, arguments)
    sys.stdout.flush()
    return code
