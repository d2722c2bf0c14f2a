"""All that is said of a text by its surface, readability, sentiment and emotions, in one row."""

from collections.abc import Sequence

import numpy as np

from models.text import emotion, readability, sentiment, surface
from models.text.surface import Floats

NAMES = (*surface.NAMES, *readability.NAMES, *sentiment.NAMES, *emotion.NAMES)


def traits(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`."""
    parts = (surface.surface, readability.readability, sentiment.sentiment, emotion.emotion)
    return np.hstack([part(texts) for part in parts])
