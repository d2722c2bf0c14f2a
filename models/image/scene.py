"""The scene of a picture, told from its tags and the things in it by a small table, `scenes.yaml`.

No network was trained on scenes: what is in a picture hints at where it was taken, and often not clearly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.image.box import Box

#: Below this confidence, and less than this ahead of the second, the scene is `UNKNOWN`.
SURE, AHEAD = 0.35, 0.1
UNKNOWN = "unknown"
#: What a thing tells beside a tag: things stand in many scenes.
_OF_THING = 0.6


@dataclass(frozen=True)
class Scene:
    """A scene of `scenes.yaml` or `UNKNOWN`, and the confidence in the likeliest, 0 to 1: a rank, no probability."""

    name: str
    confidence: float


def scene(tags: Sequence[tuple[str, float]], things: Sequence[Box]) -> Scene:
    """The scene by probabilities of ImageNet's classes, best all of them, and by boxes of COCO's."""
    chances = dict(tags)
    found = sorted(((_confidence(one, chances, things), name) for name, one in hints().items()), reverse=True)
    (best, name), (second, _) = found[:2]
    sure = best >= SURE and best - second >= AHEAD
    return Scene(name if sure else UNKNOWN, round(best, 4))


def _confidence(hinted: Mapping[str, frozenset[str]], chances: Mapping[str, float], things: Sequence[Box]) -> float:
    """One minus the chance that all hints are wrong."""
    doubt = 1 - min(1.0, sum(chance for tag, chance in chances.items() if tag in hinted["tags"]))
    for kind in {one.label for one in things} & hinted["things"]:
        doubt *= 1 - _OF_THING * max(one.score for one in things if one.label == kind)
    return 1 - doubt


@cache
def hints() -> dict[str, dict[str, frozenset[str]]]:
    """By scene the `tags` and the `things` that hint at it."""
    from features.yaml_file import from_yaml

    told = from_yaml(Path(__file__).with_name("scenes.yaml").read_text("utf-8"))
    return {name: {kind: frozenset(words) for kind, words in one.items()} for name, one in told.items()}
