"""What a text means, as a logistic regression on MiniLM's layers tells it: one of several labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.text.embedding import layers

Floats = npt.NDArray[np.float32]


def learn(texts: Sequence[str], labels: Sequence[str]) -> dict[str, Floats]:
    """The weights of each label, the bias last; labels count alike, however many texts they have."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=100, max_iter=2000, class_weight="balanced")
    model.fit(_features(texts), list(labels))
    weights = np.column_stack([model.coef_, model.intercept_]).astype(np.float32)
    return dict(zip(model.classes_, weights, strict=True))


def probabilities(texts: Sequence[str], weights: Mapping[str, Floats]) -> Floats:
    """The probability of each label, (texts, labels), in the order of `weights`."""
    every = np.stack(list(weights.values())).astype(np.float32)
    scores = _features(texts) @ every[:, :-1].T + every[:, -1]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = shares / shares.sum(axis=1, keepdims=True)
    return found


def _features(texts: Sequence[str]) -> Floats:
    return layers(texts).reshape(len(texts), -1) / np.float32(2)
