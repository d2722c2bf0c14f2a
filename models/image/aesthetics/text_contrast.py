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
#: Pixels that a colour is taken of, at least.
_ENOUGH = 40

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
    found = [(ratio_of(ink, behind), ink, behind) for ink, behind in _parts(pixels, _letters(pixels))]
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


def _letters(pixels: Pixels) -> Flags:
    """Where the letters are: what differs from the colour above and below it, which may change along the line."""
    import cv2

    lab = np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    edges = np.concatenate([lab[:3], lab[-3:]])
    around = cv2.blur(edges.mean(axis=0)[None], (2 * _HEIGHT + 1, 1))[0]
    distance = np.linalg.norm(lab - around[None], axis=2)
    scaled = np.clip(distance / max(float(distance.max()), 1e-6) * 255, 0, 255).astype(np.uint8)
    limit, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found = np.asarray(scaled > limit)
    core = np.asarray(cv2.erode(found.astype(np.uint8), np.ones((3, 3), np.uint8)), bool)
    # Thin letters have no core.
    return core if core.sum() >= _ENOUGH else found if found.any() else np.ones_like(found)


def _parts(pixels: Pixels, letters: Flags) -> Iterator[tuple[Colour, Colour]]:
    """Colours of letters and background: of each part of the line with enough of both, and of the whole line."""
    import cv2

    free = ~np.asarray(cv2.dilate(letters.astype(np.uint8), np.ones((7, 7), np.uint8)), bool)
    length = _PART * _HEIGHT
    for start in range(0, max(pixels.shape[1] - length // 2, 1), length):
        part = slice(start, start + length)
        if min(letters[:, part].sum(), free[:, part].sum()) >= _ENOUGH:
            yield _colour(pixels[:, part][letters[:, part]]), _colour(pixels[:, part][free[:, part]])
    yield _colour(pixels[letters]), _colour(pixels[free] if free.any() else pixels[0])


def _colour(pixels: npt.NDArray[np.uint8]) -> Colour:
    return np.asarray(np.median(pixels.reshape(-1, 3), axis=0), dtype=float)


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(float(part)):02x}" for part in colour)
