"""Sets a headline where a picture is calm, on a scrim where its contrast would be below WCAG's 4.5:1."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.image.aesthetics.text_contrast import NEEDED, luminance
from models.image.box import Box
from models.image.picture import Pixels
from models.image.saliency import Map
from serving.images.window import WHOLE, CropWindow, Margins

#: Where a headline may stand: shares of what is free beside it, from the left and from the top.
POSITIONS = {
    f"{row}_{column}": (across, down)
    for row, down in (("top", 0.0), ("middle", 0.5), ("bottom", 1.0))
    for column, across in (("left", 0.0), ("centre", 0.5), ("right", 1.0))
}
#: Heights of letters that are tried, the widest line and the margin around, as shares of the shorter side; most lines.
_HEIGHTS, _WIDTH, _MARGIN, _LINES = (0.09, 0.075, 0.06, 0.05), 0.8, 0.04, 3
#: Opacities of a scrim that are tried, after none.
_SCRIMS = tuple(step / 20 for step in range(1, 20))
_INKS = {"white": (255, 255, 255), "black": (0, 0, 0)}


class NoRoom(ValueError):
    """A headline that cannot be set; the message says why."""


@dataclass(frozen=True)
class SetHeadline:
    """A headline on a picture.

    Attributes:
        position: one of `POSITIONS`.
        ink: `white` or `black`.
        scrim: opacity of what lies behind it, 0 without.
        contrast: of the ink to the pixel behind it that is nearest to it.
        box: left, top, right and bottom of the letters with their margin, in pixels.
    """

    pixels: Pixels
    position: str
    ink: str
    scrim: float
    contrast: float
    box: tuple[int, int, int, int]


def calm(
    worth: Map,
    pixels: Pixels,
    text: str,
    clear: Sequence[Box] = (),
    safe: Margins = WHOLE,
    font: Path | None = None,
) -> list[str]:
    """Positions for a headline, the calmest first: where it covers least of what is worth keeping.

    Args:
        worth: of `serving.images.window.attention`.
        clear: boxes such as faces; the share of one that would be covered counts like a thing that is surely there.
    """
    rows, columns = worth.shape
    across, down = columns / pixels.shape[1], rows / pixels.shape[0]
    cost = {}
    for name, (left, top, right, bottom) in _places(pixels, text, safe, font).items():
        part = worth[int(top * down) : int(bottom * down) + 1, int(left * across) : int(right * across) + 1]
        window = CropWindow(left, top, right - left, bottom - top)
        cost[name] = float(part.mean()) + max((window.kept(box) for box in clear), default=0.0)
    return sorted(cost, key=lambda name: cost[name])


def set_headline(
    pixels: Pixels, text: str, position: str, safe: Margins = WHOLE, font: Path | None = None
) -> SetHeadline:
    """The picture with a headline, in white or black, whichever needs less of a scrim.

    Args:
        text: at most 80 characters.
        safe: margins that the platform covers; the headline keeps clear of them.
        font: a TrueType or OpenType file; the one of matplotlib, or Pillow's own, where none is given.

    Raises:
        NoRoom: the text is too long, or the font lacks a letter.
    """
    from PIL import Image, ImageDraw

    lettering, lines = _fitted(pixels, text, safe, font)
    box = _places(pixels, text, safe, font)[position]
    left, top, right, bottom = box
    behind = pixels[top:bottom, left:right]
    found = [(*_scrim(behind, colour), name) for name, colour in _INKS.items()]
    scrim, contrast, ink = min(found, key=lambda one: (one[0], -one[1]))
    made = pixels.copy()
    made[top:bottom, left:right] = _veiled(behind, _INKS[ink], scrim)
    image = Image.fromarray(made)
    pen, margin = ImageDraw.Draw(image), _margin(pixels)
    pen.multiline_text((left + margin, top + margin), "\n".join(lines), _INKS[ink], lettering, spacing=margin // 2)
    return SetHeadline(np.asarray(image), position, ink, scrim, round(contrast, 2), box)


def _scrim(behind: Pixels, ink: tuple[int, int, int]) -> tuple[float, float]:
    """The least opacity of a scrim that gives enough contrast to every pixel behind a text, and that contrast."""
    tried = ((opacity, _contrast(_veiled(behind, ink, opacity), ink)) for opacity in (0.0, *_SCRIMS))
    # One of .95 leaves a contrast of 18 on any picture.
    return next((opacity, contrast) for opacity, contrast in tried if contrast >= NEEDED)


def _veiled(behind: Pixels, ink: tuple[int, int, int], opacity: float) -> Pixels:
    """Mixed with the opposite of the ink."""
    veil = np.array([255 - part for part in ink], np.float32)
    return np.rint(behind * (1 - opacity) + veil * opacity).astype(np.uint8)


def _contrast(behind: Pixels, ink: tuple[int, int, int]) -> float:
    """The lowest contrast of an ink to any pixel."""
    there, own = luminance(behind.astype(float)), float(luminance(np.array(ink)))
    nearest = float(there.max() if own > 0.5 else there.min())
    low, high = sorted((nearest, own))
    return (high + 0.05) / (low + 0.05)


def _places(pixels: Pixels, text: str, safe: Margins, font: Path | None) -> dict[str, tuple[int, int, int, int]]:
    """The box of a headline at each position, within the safe part."""
    lettering, lines = _fitted(pixels, text, safe, font)
    width, height = (side + 2 * _margin(pixels) for side in _extent(lettering, lines, _margin(pixels) // 2))
    free = _free(pixels, safe)
    found = {}
    for name, (across, down) in POSITIONS.items():
        left = round(free.left + across * (free.width - width))
        top = round(free.top + down * (free.height - height))
        found[name] = (left, top, left + width, top + height)
    return found


def _fitted(pixels: Pixels, text: str, safe: Margins, font: Path | None) -> tuple[Any, list[str]]:
    """The largest letters, and the lines, with which a text fits."""
    words, free, margin = text.split(), _free(pixels, safe), _margin(pixels)
    if not words or len(text) > 80:
        raise NoRoom(f"headline: expected 1 to 80 characters, got {len(text)}")
    for share in _HEIGHTS:
        lettering = _lettering(max(8, round(share * min(pixels.shape[:2]))), font)
        missing = sorted({letter for letter in "".join(words) if not _has(lettering, letter)})
        if missing:
            raise NoRoom(f"headline: the font has no {' '.join(missing)}; give another font file")
        lines = _lines(lettering, words, _WIDTH * free.width - 2 * margin)
        width, height = _extent(lettering, lines, margin // 2)
        if len(lines) <= _LINES and width + 2 * margin <= free.width and height + 2 * margin <= free.height:
            return lettering, lines
    raise NoRoom(f"headline: '{text}' does not fit on {pixels.shape[1]} by {pixels.shape[0]} pixels; shorten it")


def _lines(lettering: Any, words: list[str], width: float) -> list[str]:
    """Words broken into lines of a width at most, where each word fits."""
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        lines[-1:] = [longer] if lettering.getlength(longer) <= width else [lines[-1], word]
    return lines


def _extent(lettering: Any, lines: list[str], spacing: int) -> tuple[int, int]:
    from PIL import Image, ImageDraw

    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    _, _, right, bottom = pen.multiline_textbbox((0, 0), "\n".join(lines), lettering, spacing=spacing)
    return int(np.ceil(right)), int(np.ceil(bottom))


def _free(pixels: Pixels, safe: Margins) -> CropWindow:
    """Where a headline may stand."""
    height, width = pixels.shape[:2]
    inner, margin = CropWindow(0, 0, width, height).within(safe), _margin(pixels)
    return CropWindow(inner.left + margin, inner.top + margin, inner.width - 2 * margin, inner.height - 2 * margin)


def _margin(pixels: Pixels) -> int:
    return max(2, round(_MARGIN * min(pixels.shape[:2])))


def _lettering(height: int, font: Path | None) -> Any:
    from PIL import ImageFont

    if font is not None:
        return ImageFont.truetype(font, height)
    there = find_spec("matplotlib")
    if there is None or there.origin is None:
        return ImageFont.load_default(height)
    return ImageFont.truetype(Path(there.origin).parent / "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf", height)


def _has(lettering: Any, letter: str) -> bool:
    """Whether a font has a letter; what it draws for any other is what it draws for a noncharacter."""
    missing: npt.NDArray[np.uint8] = np.asarray(lettering.getmask("\uffff"))
    drawn: npt.NDArray[np.uint8] = np.asarray(lettering.getmask(letter))
    return not np.array_equal(drawn, missing)
