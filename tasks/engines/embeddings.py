"""Turns texts into vectors whose closeness is closeness in meaning (WordLlama, a small static model).

Its vectors derive from Llama's token embeddings. Nothing outside this file knows the model, so that
another can take its place.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.engines.weights import check_weights

WEIGHTS = "weights/l2_supercat_256.safetensors"
WEIGHTS_SHA256 = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
NAME = "wordllama"

Vectors = NDArray[np.float32]


def is_loaded() -> bool:
    return _model.cache_info().currsize > 0


def model_version() -> str:
    return version("wordllama")


def embed(texts: list[str]) -> Vectors:
    """Return one vector of length 1 for each text; of length 0 where the model knows none of its words.

    Raises:
        EngineError: the weights are missing or not the expected ones.
    """
    if not texts:
        return np.zeros((0, 256), dtype=np.float32)
    vectors = np.nan_to_num(np.asarray(_model().embed(texts), dtype=np.float32))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype=np.float32)


@cache
def _model() -> Any:
    # The tokenizer's own threads do not survive a fork and gain nothing on short texts.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import wordllama

    folder = Path(wordllama.__file__).parent
    check_weights(folder / WEIGHTS, WEIGHTS_SHA256)
    # With its own folder as the cache the tokenizer is found there; otherwise it would be downloaded.
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
