"""What classifiers read of a text: views of a sentence encoder, VADER's sentiment, and the vector of tuned layers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.nlp.encoder import TunedEncoder
from models.text.embedding import LAYERS, SIZE, kept_views, states, viewed
from models.text.sentiment import NAMES, sentiment

Array = npt.NDArray[np.float32]
#: Columns of the features: those that no tuning changes, and among them the sentence embedding.
FROZEN = len(LAYERS) * SIZE + len(NAMES)
EMBEDDING = slice((len(LAYERS) - 1) * SIZE, len(LAYERS) * SIZE)
#: By the number of tuned layers, the place among `LAYERS` of the states that they read.
STARTS = {LAYERS[-1] - layer: place for place, layer in enumerate(LAYERS[:-1])}


def features(cleaned: Sequence[str], tuned: TunedEncoder | None, count: int) -> Array:
    """One row per clean text: mean states of some layers of MiniLM, VADER's three numbers and, where its last `count`
    layers are tuned, the vector of these."""
    views, before = encoded(cleaned, 0 if tuned is None else count)
    x = frozen(cleaned, views)
    return x if tuned is None else np.hstack([x, tuned.of(before)])


def encoded(cleaned: Sequence[str], count: int) -> tuple[Array, list[Array]]:
    """Views of texts (texts, layers, SIZE), and the states (tokens, SIZE) of each before the last `count` layers; no
    states where `count` is 0."""
    views, before = np.empty((len(cleaned), len(LAYERS), SIZE), np.float32), []
    for place, text in enumerate(cleaned):
        if not count:
            views[place] = viewed(text)
            continue
        hidden = states(text)
        views[place] = kept_views(text, hidden)
        before.append(hidden[STARTS[count]])
    return views, before


def frozen(cleaned: Sequence[str], views: Array) -> Array:
    """The part of the features that no tuning changes."""
    return np.hstack([views.reshape(len(cleaned), len(LAYERS) * SIZE), sentiment(cleaned).astype(np.float32)])


def vectors(x: Array) -> Array:
    """Vectors of length 1 whose cosines tell how alike texts are: the embedding and, where it is tuned, the vector."""
    parts = [x[:, EMBEDDING]] + ([x[:, FROZEN:]] if x.shape[1] > FROZEN else [])
    unit = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in parts]
    return np.ascontiguousarray(np.hstack(unit) / np.sqrt(len(unit)), dtype=np.float32)
