"""Logos of given brands in a picture: by the shape of their mark, or by their name in its text."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.image.box import Box
from models.image.lettering import Lettering, TextLine
from models.image.logos.mark import Mark, UnknownBrand, of_brand, of_picture
from models.image.logos.match import SIDE, Poses, best, searched
from models.image.picture import Picture

__all__ = ["Logo", "Mark", "UnknownBrand", "logos", "of_brand", "of_picture"]

#: Score that a mark needs whose edges are `_SHORT` long, and by how much less a mark needs for each e-fold of that:
#: simple shapes are found by chance in many places, and rich ones in none. With these, of pictures without any of 20
#: brands' logos, about one in 100 had one.
_NEEDED, _SHORT, _FALL, _LEAST = 0.57, 500, 0.13, 0.3
#: Share of a mark beyond a side of the picture from which it counts as cut off there.
_OFF = 0.02


@dataclass(frozen=True)
class Logo:
    """A logo that was found.

    Attributes:
        brand: whose it is.
        by: `mark`, its shape, or `name`, its text.
        box: where; it reaches beyond the picture where the logo does.
        off: sides at which it is cut off by the picture's border.
        visible: share of its box within the picture.
    """

    brand: str
    by: str
    box: Box
    off: tuple[str, ...] = ()
    visible: float = 1.0


def logos(picture: Picture, marks: Sequence[Mark], lettering: Lettering) -> tuple[Logo, ...]:
    """The logos of brands in a picture: the best place of each mark, the surest first, and where its name is read."""
    if not marks:
        return ()
    import cv2

    share = min(1.0, SIDE / max(picture.pixels.shape[:2]))
    size = [max(1, round(side * share)) for side in picture.pixels.shape[1::-1]]
    looked = searched(np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.uint8))
    placed = [(mark, *best(looked, mark)) for mark in marks]
    sure = sorted((one for one in placed if one[1] >= needed(one[0])), key=lambda one: needed(one[0]) - one[1])
    found = [_logo(mark, score, pose, share * picture.scale, picture) for mark, score, pose in sure]
    found = [one for one in found if not any(_is_letter(one.box, line) for line in lettering.lines)]
    named = (one for mark in marks for one in _named(mark.brand, lettering))
    return (*_apart(found), *named)


def needed(mark: Mark) -> float:
    """The score from which a pose is the mark, and no chance."""
    return max(_LEAST, _NEEDED - _FALL * float(np.log(mark.length / _SHORT)))


def _is_letter(box: Box, line: TextLine) -> bool:
    """Whether a mark is but a few letters of a line of text."""
    around = _around(line)
    inside = box.clip(around.right, around.bottom)
    within = max(0.0, inside.right - max(inside.left, around.left)) * max(
        0.0, inside.bottom - max(inside.top, around.top)
    )
    return within >= 0.8 * box.area and around.width >= 3 * box.width


def _around(line: TextLine) -> Box:
    xs, ys = zip(*line.corners, strict=True)
    return Box(line.text, line.confidence, min(xs), min(ys), max(xs), max(ys))


def _apart(found: Sequence[Logo]) -> Iterator[Logo]:
    """Without those that an earlier one overlaps: parts of a mark look like other, simpler marks."""
    kept: list[Logo] = []
    for one in found:
        if not any(_within(one.box, other.box) or _within(other.box, one.box) for other in kept):
            kept.append(one)
            yield one


def _within(one: Box, other: Box) -> bool:
    """Whether the middle of a box is in another."""
    x, y = (one.left + one.right) / 2, (one.top + one.bottom) / 2
    return other.left <= x <= other.right and other.top <= y <= other.bottom


def _logo(mark: Mark, score: float, pose: Poses, scale: float, picture: Picture) -> Logo:
    a, b, across, down = pose / scale
    x, y = a * mark.edges[:, 0] - b * mark.edges[:, 1] + across, b * mark.edges[:, 0] + a * mark.edges[:, 1] + down
    edges = [round(float(edge), 1) for edge in (x.min(), y.min(), x.max(), y.max())]
    box = Box(mark.brand, round(score, 4), *edges)
    inside = box.clip(picture.width, picture.height)
    beyond = {
        "left": -box.left / box.width,
        "top": -box.top / box.height,
        "right": (box.right - picture.width) / box.width,
        "bottom": (box.bottom - picture.height) / box.height,
    }
    off = tuple(side for side, part in beyond.items() if part > _OFF)
    return Logo(mark.brand, "mark", box, off, round(inside.area / box.area, 4))


def _named(brand: str, lettering: Lettering) -> Iterator[Logo]:
    """Lines of text that have the brand's name as whole words."""
    name = _plain(brand)
    for line in lettering.lines:
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", _plain(line.text)):
            yield Logo(brand, "name", replace(_around(line), label=brand))


def _plain(text: str) -> str:
    """Without case, accents and the signs within names."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^\w\s]", "", "".join(letter for letter in bare if not unicodedata.combining(letter))).strip()
