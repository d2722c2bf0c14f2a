"""Where a crop lies: the largest window of a ratio that holds what must not be cut, and keeps what draws the eye.

All lengths are pixels of the picture. A window that reaches beyond the picture is to be padded there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.image.box import Box
from models.image.saliency import Map

#: Things that the detector is less sure of are overlooked; weight of the picture's middle beside a thing it is sure of,
#: and the share of it that depends on saliency. Chosen on every other photograph of the benchmark `vision.crop`.
LEAST_SCORE, MIDDLE, SALIENT = 0.2, 0.8, 0.9
#: Spread of the middle (standard deviation) as a share of each side.
_SPREAD = 0.35
#: Sizes of windows that are tried, as shares of the largest; positions tried along a side.
_SIZES, _POSITIONS = tuple(step / 20 for step in range(20, 9, -1)), 65
#: Pixels that bounds may be apart by rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Margins:
    """Shares of a picture's sides, at each edge, in which a product may be covered or cut off by the platform."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


WHOLE = Margins()


@dataclass(frozen=True)
class CropWindow:
    """A part of a plane in which a picture of `width` by `height` lies at 0, 0."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def within(self, margins: Margins) -> "CropWindow":
        """Its part that is safe."""
        return CropWindow(
            self.left + margins.left * self.width,
            self.top + margins.top * self.height,
            self.width * (1 - margins.left - margins.right),
            self.height * (1 - margins.top - margins.bottom),
        )

    def kept(self, box: Box) -> float:
        """The share of a box that lies in it."""
        across = min(self.right, box.right) - max(self.left, box.left)
        down = min(self.bottom, box.bottom) - max(self.top, box.top)
        return max(across, 0.0) * max(down, 0.0) / box.area if box.area else 0.0

    def outside(self, width: float, height: float) -> float:
        """The share of it that is beyond a picture of this size."""
        return 1 - self.kept_area(width, height) / (self.width * self.height)

    def kept_area(self, width: float, height: float) -> float:
        """Area that it shares with a picture of this size."""
        across = min(self.right, width) - max(self.left, 0.0)
        down = min(self.bottom, height) - max(self.top, 0.0)
        return max(across, 0.0) * max(down, 0.0)


def attention(saliency: Map, width: float, height: float, things: Sequence[Box]) -> Map:
    """Worth of keeping each point, of the shape of `saliency`: the surest thing there, and the salient middle."""
    rows, columns = saliency.shape
    worth = np.zeros_like(saliency)
    for thing in things:
        if thing.score >= LEAST_SCORE:
            left, right = (round(edge / width * columns) for edge in (thing.left, thing.right))
            top, bottom = (round(edge / height * rows) for edge in (thing.top, thing.bottom))
            part = worth[top : max(bottom, top + 1), left : max(right, left + 1)]
            np.maximum(part, thing.score, out=part)
    down, across = (((np.arange(count) + 0.5) / count - 0.5) ** 2 for count in (rows, columns))
    middle = np.exp(-(down[:, None] + across[None]) / (2 * _SPREAD**2))
    return (worth + MIDDLE * middle * (1 - SALIENT + SALIENT * saliency)).astype(np.float32)


def best(worth: Map, width: float, height: float, ratio: float) -> CropWindow:
    """The largest window of a ratio (width over height) within the picture that keeps most worth."""
    largest = min(width, height * ratio)
    across, down = (0.0, width - largest), (0.0, height - largest / ratio)
    return _best(worth, width, height, CropWindow(0, 0, largest, largest / ratio), across, down)


def holding(worth: Map, width: float, height: float, ratio: float, product: Box, margins: Margins) -> CropWindow | None:
    """The same with the product in its safe part, smaller where needed; None where no window holds it."""
    largest = min(width, height * ratio)
    for share in _SIZES:
        window = CropWindow(0, 0, largest * share, largest * share / ratio)
        safe = window.within(margins)
        across = max(product.right - safe.right, 0.0), min(product.left - safe.left, width - window.width)
        down = max(product.bottom - safe.bottom, 0.0), min(product.top - safe.top, height - window.height)
        if all(least <= most + _ROUNDING for least, most in (across, down)):
            return _best(worth, width, height, window, across, down)
    return None


def padded(width: float, height: float, ratio: float, product: Box, margins: Margins) -> CropWindow:
    """The smallest window, no smaller than a crop, whose safe part holds the product; on the picture where it can."""
    unit = CropWindow(0, 0, ratio, 1).within(margins)
    high = max(product.width / unit.width, product.height / unit.height, min(width / ratio, height))
    window = CropWindow(0, 0, high * ratio, high)
    safe = window.within(margins)
    left = _on_picture(width, window.width, product.right - safe.right, product.left - safe.left)
    top = _on_picture(height, window.height, product.bottom - safe.bottom, product.top - safe.top)
    return CropWindow(left, top, window.width, window.height)


def _on_picture(side: float, length: float, least: float, most: float) -> float:
    """The beginning of a window that is nearest to one centred on the picture, of those that hold the product."""
    return min(max((side - length) / 2, least), most)


def _best(
    worth: Map,
    width: float,
    height: float,
    window: CropWindow,
    across: tuple[float, float],
    down: tuple[float, float],
) -> CropWindow:
    """The window at the position within these bounds that keeps most worth; of equal ones the most central."""
    places = [(left, top) for top in _tried(*down) for left in _tried(*across)]
    lefts, tops = np.array(places).T
    total = np.pad(worth.cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = worth.shape

    def at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        from scipy.ndimage import map_coordinates

        return map_coordinates(total, [y / height * rows, x / width * columns], order=1, mode="nearest")

    rights, bottoms = lefts + window.width, tops + window.height
    kept = at(rights, bottoms) - at(lefts, bottoms) - at(rights, tops) + at(lefts, tops)
    aside = np.hypot(lefts + window.width / 2 - width / 2, tops + window.height / 2 - height / 2)
    place = int(np.lexsort((aside, -kept.round(6)))[0])
    return CropWindow(float(lefts[place]), float(tops[place]), window.width, window.height)


def _tried(least: float, most: float) -> Iterator[float]:
    yield from np.linspace(least, most, _POSITIONS if most > least else 1)
