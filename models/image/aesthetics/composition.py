"""Composition: where the eye is drawn within the frame, and how calm the rest is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture
from models.image.saliency import Map, saliency

#: Distance from a crossing of the thirds, in sides of the picture, at which nothing of the rule is kept: that of the
#: middle of the picture.
_FAR = 2**0.5 / 6
#: Longer side at which space and symmetry are looked at, side of a cell, and deviation of L* up to which it is calm.
_SIDE, _CELL, _CALM = 256, 8, 2.0


@dataclass(frozen=True)
class Composition:
    """Composition of a picture; scores from 0 to 1.

    Attributes:
        centre: where the eye is drawn, x and y in shares of width and height.
        thirds: nearness of that to a crossing of the lines at the thirds; 0 in the middle.
        balance: nearness of the visual weight to the middle axis.
        symmetry: likeness of the left half and the mirrored right half.
        space: share of the picture that is calm (negative space).
    """

    centre: tuple[float, float]
    thirds: float
    balance: float
    symmetry: float
    space: float


def composition(picture: Picture) -> Composition:
    """The composition of a picture, from its saliency and its lightness."""
    weight, grey = saliency(picture), _lightness(picture)
    if not weight.any():
        weight = np.ones_like(weight)
    x, y = _centre(weight**4)  # the peak counts, and the background does not
    crossings = [(across, down) for across in (1 / 3, 2 / 3) for down in (1 / 3, 2 / 3)]
    distance = min(float(np.hypot(x - across, y - down)) for across, down in crossings)
    return Composition(
        centre=(round(x, 4), round(y, 4)),
        thirds=_rounded(1 - distance / _FAR),
        balance=_rounded(1 - 2 * abs(_centre(weight)[0] - 0.5)),
        symmetry=_rounded(_likeness(grey, grey[:, ::-1])),
        space=_rounded(float(_calm(grey).mean())),
    )


def calm(picture: Picture) -> npt.NDArray[np.bool_]:
    """Which cells of the picture are calm: its negative space, of which `space` is the share."""
    return _calm(_lightness(picture))


def _lightness(picture: Picture) -> Map:
    """L* of CIELAB, 0 to 100, of the reduced picture."""
    import cv2

    height, width = picture.pixels.shape[:2]
    share = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0], np.float32)


def _centre(weight: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Centre of mass, x and y in shares of width and height."""
    down, across = ((np.arange(side) + 0.5) / side for side in weight.shape)
    total = float(weight.sum())
    return float((weight.sum(axis=0) @ across) / total), float((weight.sum(axis=1) @ down) / total)


def _likeness(one: Map, other: Map) -> float:
    """Correlation of two maps; 1 where both are of one tone."""
    first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / size) if size > 1e-3 else 1.0


def _calm(grey: Map) -> npt.NDArray[np.bool_]:
    """Cells whose lightness hardly deviates."""
    rows, columns = (max(1, side // _CELL) for side in grey.shape)
    high, wide = grey.shape[0] // rows, grey.shape[1] // columns
    cells = grey[: rows * high, : columns * wide].reshape(rows, high, columns, wide)
    found: npt.NDArray[np.bool_] = cells.std(axis=(1, 3)) <= _CALM
    return found


def _rounded(score: float) -> float:
    return round(min(max(score, 0.0), 1.0), 4)
