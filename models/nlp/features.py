"""What classifiers read of a text: the views of a sentence encoder, and VADER's sentiment."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.nlp.cleaning import clean
from models.text.embedding import LAYERS, SIZE, layers
from models.text.sentiment import sentiment

Array = npt.NDArray[np.float32]


def features(texts: Sequence[str]) -> Array:
    """One row per text: mean states of some layers of MiniLM, then VADER's three numbers."""
    cleaned = [clean(text) for text in texts]
    views = layers(cleaned).reshape(len(texts), len(LAYERS) * SIZE)
    return np.hstack([views, sentiment(cleaned).astype(np.float32)])
