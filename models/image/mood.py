"""The mood that a picture is associated with, by its colours and the things in it: no measurement of any effect.

Pleasure and arousal follow brightness and saturation as people rated patches of colour (Valdez and Mehrabian, "Effects
of color on emotions", 1994), which Machajdik and Hanbury ("Affective image classification", 2010) took for whole
pictures. Things of `moods.yaml` shift pleasure a little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from models.image.box import Box
from models.image.picture import Picture

#: Weights of brightness and saturation (their table 4), scaled so that both moods go from 0 to 1.
_PLEASURE, _AROUSAL, _RANGE, _LOWEST = (0.69, 0.22), (-0.31, 0.60), 0.91, -0.31
#: How far things shift pleasure at most.
_SHIFT = 0.15
#: Pleasure from which a picture is pleasant, and arousal from which it is lively: about the middle of photographs.
_PLEASANT, _LIVELY = 0.45, 0.45
_WORDS = {(True, True): "cheerful", (True, False): "calm", (False, True): "intense", (False, False): "sombre"}


@dataclass(frozen=True)
class Mood:
    """A mood in a word and as `pleasure` and `arousal` from 0 to 1, with the things that shifted it."""

    word: str
    pleasure: float
    arousal: float
    things: tuple[str, ...]


def mood(picture: Picture, tags: Sequence[tuple[str, float]], things: Sequence[Box]) -> Mood:
    """The mood of a picture by its colours, its tags with their probabilities, and the things in it."""
    import cv2

    small = cv2.resize(picture.pixels, (96, 96), interpolation=cv2.INTER_AREA)
    _, saturation, value = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), float).reshape(-1, 3).mean(axis=0) / 255
    pleasure = (_PLEASURE[0] * value + _PLEASURE[1] * saturation) / _RANGE
    arousal = (_AROUSAL[0] * value + _AROUSAL[1] * saturation - _LOWEST) / _RANGE
    shift, named = _shift([*tags, *((one.label, one.score) for one in things)])
    pleasure = min(max(float(pleasure) + shift, 0.0), 1.0)
    word = _WORDS[pleasure >= _PLEASANT, bool(arousal >= _LIVELY)]
    return Mood(word, round(pleasure, 4), round(float(arousal), 4), named)


def _shift(seen: Sequence[tuple[str, float]]) -> tuple[float, tuple[str, ...]]:
    """By how much things shift pleasure, and their names."""
    good, bad = pleasing()
    signs = [(name, chance * (1 if name in good else -1)) for name, chance in seen if name in good | bad]
    total = sum(weight for _, weight in signs)
    named = tuple(dict.fromkeys(name for name, weight in signs if abs(weight) >= 0.2))
    return _SHIFT * float(np.clip(total, -1, 1)), named


@cache
def pleasing() -> tuple[frozenset[str], frozenset[str]]:
    """Things that are pleasant to see, and things that are unpleasant."""
    from features.yaml_file import from_yaml

    told = from_yaml(Path(__file__).with_name("moods.yaml").read_text("utf-8"))
    return frozenset(told["pleasant"]), frozenset(told["unpleasant"])
