"""Contrast of text with what is behind it, as the Web Content Accessibility Guidelines measure it (WCAG 2.2, 1.4.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.image.lettering import TextLine
from models.image.picture import Picture, Pixels

#: The ratio that text needs, from 1 to 21.
NEEDED = 4.5
#: Height in pixels at which a line is looked at, and the length of its parts, in heights: the worst part counts,
#: such as the lightest sky behind a word, not the mean of the line.
_HEIGHT, _PART = 48, 2
#: Pixels that a colour is taken of, at least; rows at the edges of a line that are background; and the difference of
#: grey, of 255, from which letters are seen.
_ENOUGH, _EDGE, _VISIBLE = 40, 4, 5.0

Flags = npt.NDArray[np.bool_]
Colour = npt.NDArray[np.floating]


@dataclass(frozen=True)
class TextContrast:
    """Contrast of a line: `ratio` where it is lowest, and the colours of letters and background there, `#rrggbb`."""

    line: TextLine
    ratio: float
    letters: str
    background: str

    @property
    def enough(self) -> bool:
        """Whether everybody can read it."""
        return self.ratio >= NEEDED


def text_contrast(picture: Picture, line: TextLine) -> TextContrast:
    """The contrast of one line of the picture's text."""
    pixels = _straightened(picture, line)
    found = [(ratio_of(ink, behind), ink, behind) for ink, behind in _parts(pixels)]
    if not found:  # nothing stands out
        even = np.median(pixels.reshape(-1, 3), axis=0)
        found = [(1.0, even, even)]
    ratio, ink, behind = min(found, key=lambda one: one[0])
    return TextContrast(line, round(ratio, 2), _hex(ink), _hex(behind))


def ratio_of(one: Colour, other: Colour) -> float:
    """Contrast of two sRGB colours of 0 to 255, from 1 (equal) to 21 (black on white)."""
    low, high = sorted(float(luminance(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(rgb: Colour) -> npt.NDArray[np.float64]:
    """Relative luminance from 0 to 1 of sRGB colours (..., 3) of 0 to 255."""
    part = np.asarray(rgb, dtype=float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    found: npt.NDArray[np.float64] = linear @ [0.2126, 0.7152, 0.0722]
    return found


def _straightened(picture: Picture, line: TextLine) -> Pixels:
    """The line alone, upright."""
    import cv2

    corners = np.array(line.corners, np.float32) * np.float32(picture.scale)
    across, down = (float(np.linalg.norm(corners[end] - corners[0])) for end in (1, 3))
    width = max(round(across / max(down, 1.0) * _HEIGHT), 8)
    target = np.array([[0, 0], [width, 0], [width, _HEIGHT], [0, _HEIGHT]], np.float32)
    turned = cv2.getPerspectiveTransform(corners, target)
    found = cv2.warpPerspective(picture.pixels, turned, (width, _HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def _parts(pixels: Pixels) -> Iterator[tuple[Colour, Colour]]:
    """Colours of letters and background of each part of the line in which letters stand out."""
    parts = np.array_split(pixels, max(1, round(pixels.shape[1] / (_PART * _HEIGHT))), axis=1)
    masks = [_brighter(part) for part in parts]
    # Letters are all brighter or all darker than what is behind, which reaches the upper and lower edge of the line.
    edges = [mask[[*range(_EDGE), *range(-_EDGE, 0)]].ravel() for mask in masks if mask is not None]
    bright = bool(edges) and float(np.concatenate(edges).mean()) < 0.5
    for part, mask in zip(parts, masks, strict=True):
        found = None if mask is None else _colours(part, mask if bright else ~mask)
        if found is not None:
            yield found


def _brighter(part: Pixels) -> Flags | None:
    """Which pixels are of the brighter of two kinds (Otsu, 1979); None where there are no two."""
    import cv2

    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
    limit, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = grey > limit
    if bright.all() or not bright.any() or grey[bright].mean() - grey[~bright].mean() < _VISIBLE:
        return None
    return bright


def _colours(part: Pixels, letters: Flags) -> tuple[Colour, Colour] | None:
    """Colours of letters and background; None where too few pixels are letters.

    The soft edges of letters are neither: their inside counts or, of thin letters, the fifth that is farthest from the
    background; of the background what is two pixels away from letters.
    """
    import cv2

    mask = letters.astype(np.uint8)
    free = ~np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), bool)
    if min(letters.sum(), free.sum()) < _ENOUGH:
        return None
    behind = np.asarray(np.median(part[free], axis=0), float)
    core = np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), bool)
    ink = part[core if core.sum() >= 0.2 * letters.sum() else letters].astype(float)
    away = np.abs(luminance(ink) - luminance(behind))
    thin = len(ink) == letters.sum()
    return np.median(ink[away >= np.quantile(away, 0.8)] if thin else ink, axis=0), behind


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(float(part)):02x}" for part in colour)
