"""The child's side of `contained`: reads calls from its standard input, a JSON object a line, and answers them.

A script: it becomes the child process, and ends when the worker closes the pipe or dies.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

MAX_WRITTEN_BYTES = 1024**3
MAX_MESSAGE, MAX_TRACEBACK = 2000, 8000


def main() -> None:
    # A stopping node signals the whole group; the worker decides what becomes of the work.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN_BYTES, MAX_WRITTEN_BYTES))
    if (most := int(sys.argv[1])) and sys.platform == "linux":
        # Elsewhere it counts little of what a process takes.
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # What libraries print must not come between the answers.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        _say(answers, _answer(json.loads(line), answers) | {"rss_bytes": _peak_rss()})


def _answer(asked: dict[str, Any], answers: BinaryIO) -> dict[str, Any]:
    def tell(fraction: float, stage: str) -> None:
        _say(answers, {"progress": [fraction, stage]})

    module, _, name = asked["function"].partition(":")
    try:
        function = getattr(importlib.import_module(f"tasks.engines.{module}"), name)
        return {"result": function(tell, **asked["arguments"])}
    except Exception as error:  # whatever a library raises on a file is told to the worker, which names it
        message = getattr(error, "message", None) or str(error)
        written = traceback.format_exc()[-MAX_TRACEBACK:]
        is_full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        kind = "StorageFull" if is_full else type(error).__name__
        return {"error": {"class": kind, "message": str(message)[:MAX_MESSAGE], "traceback": written}}


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    # Not as ASCII: a Chinese character would take six bytes. Readers meet halves of characters, too.
    written = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    unsent = memoryview(written + b"\n")
    while unsent:
        unsent = unsent[answers.write(unsent) :]


def _peak_rss() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        # Not `getrusage`, which on Linux begins with the peak of the process that started this one.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, others in KiB.
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
