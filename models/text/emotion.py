"""Emotions that advertising appeals to, by a small lexicon of English stems.

The lexicon was written for this project; the kinds of appeal are those of Berger and Milkman, "What makes online
content viral?" (2012), and of Cialdini, "Influence" (1984).
"""

import re
from collections.abc import Sequence

import numpy as np

from models.text.surface import Floats, words

_STEMS = {
    "awe": "amaz awe breathtak epic incredib magnific marvel mind-blow spectacular stun thrill unbeliev wonder",
    "joy": "belov celebrat cheer delight enjoy fun glad happ joy laugh love lovely smil",
    "anger": "anger angr furious hate outrag rage ridicul scandal shame sham",
    "fear": "afraid alarm danger dread fear horrif nightmare panic risk scar terrif threat warn worr",
    "sadness": "cry griev heartbreak lone loss lost miser sad sorrow tear tragic",
    "curiosity": "discover find guess hidden learn myster reveal secret surpris truth why",
    "urgency": "deadline ends expire final hurry immediate instant last now quick soon today tonight urgent",
    "scarcity": "exclusiv few limit member only rare reserv sold vip",
    "trust": "certified expert guarante official proven reliab safe secur trust verified",
    "gain": "bargain bonus cheap discount free gift offer sale save saving win",
}
NAMES = tuple(_STEMS)
_PATTERNS = {name: re.compile(f"^(?:{'|'.join(map(re.escape, stems.split()))})") for name, stems in _STEMS.items()}


def emotion(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`: how many words appeal to it."""
    counted = [[_count(pattern, text) for pattern in _PATTERNS.values()] for text in texts]
    return np.array(counted, dtype=np.float64).reshape(len(texts), len(NAMES))


def _count(pattern: re.Pattern[str], text: str) -> float:
    return float(sum(pattern.match(word.lower()) is not None for word in words(text)))
