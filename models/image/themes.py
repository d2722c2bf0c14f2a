"""A few numbers that tell what a picture is of: its embedding along the directions that tell ImageNet's classes apart.

They are the principal directions of the classifier's weights (as in latent semantic analysis, Deerwester et al., 1990).
They come with the backbone and not from any pictures, so that features of different days mean the same.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from models.image.efficientnet import weights

#: Directions: the classes differ in many more, of which each tells little.
COUNT = 16

Array = npt.NDArray[np.float32]


def themes(embeddings: Array) -> Array:
    """Embeddings (pictures, 1280) along the main directions of the classifier, (pictures, `COUNT`)."""
    found: Array = embeddings @ _directions().T
    return found


@cache
def _directions() -> Array:
    classes = weights()["classes.weight"].astype(np.float64)
    classes = classes.reshape(len(classes), -1)
    # In double precision, and each with its largest part positive, so that every machine finds the same ones.
    spread, axes = np.linalg.eigh(np.cov(classes, rowvar=False))
    main = axes[:, np.argsort(spread)[::-1][:COUNT]].T
    signs = np.sign(main[np.arange(COUNT), np.abs(main).argmax(axis=1)])
    return np.asarray(main * signs[:, None], dtype=np.float32)
