"""Crops a picture to a format by what must not be cut; where no crop can hold that, pads or refuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.image.box import Box
from models.image.picture import Picture, Pixels
from models.image.saliency import saliency
from serving.images.held import HeldParts, to_hold
from serving.images.window import WHOLE, CropWindow, Margins, attention, best, holding, padded

Background = Literal["border", "blur"]

#: Largest share of a picture that may be padding; above it the crop is refused.
MOST_PADDING = 0.75
#: A picture's border is of one colour if no channel differs more (standard deviation, of 255); its width by the side.
_PLAIN, _BORDER = 6.0, 0.02
#: Longer side at which a background is blurred, and by how much, in pixels of it.
_BLURRED, _BLUR = 64, 4.0


@dataclass(frozen=True)
class Crop:
    """A crop, or why there is none.

    Attributes:
        pixels: (height, width, 3) sRGB; None where it is refused.
        window: the part of the upright original, in its pixels; beyond its edges where it is padded.
        held: what it must show whole.
        kept: share of that which it shows; None where there is nothing to hold.
        background: what fills the padding; None without padding.
        reason: why it lies there, why it is padded, or why it is refused.
    """

    pixels: Pixels | None
    window: CropWindow
    held: HeldParts
    kept: float | None
    background: Background | None
    reason: str

    @property
    def padded(self) -> bool:
        return self.background is not None

    def placed(self, box: Box) -> Box:
        """A box of the original, in pixels of the crop. Raises `ValueError` where it is refused."""
        if self.pixels is None:
            raise ValueError("crop: expected one that is not refused")
        share, window = self.pixels.shape[1] / self.window.width, self.window
        left, right = ((edge - window.left) * share for edge in (box.left, box.right))
        top, bottom = ((edge - window.top) * share for edge in (box.top, box.bottom))
        return Box(box.label, box.score, left, top, right, bottom)


def crop(
    picture: Picture,
    size: tuple[int, int],
    product: Sequence[Box] = (),
    things: Sequence[Box] = (),
    texts: Sequence[Box] = (),
    safe: Margins = WHOLE,
) -> Crop:
    """Crop to the ratio of `size`, and reduce to it where there are more pixels; a picture is never enlarged.

    The product and texts are never cut: where no crop holds them in its safe part, the picture is padded, or refused
    where padding would be most of it. Without a product the main thing that was found is held instead; it and texts lie
    in the safe part where that can be.

    Args:
        size: width and height in pixels.
        product: boxes of what must not be cut, in pixels of the upright original.
        things: boxes of what was found in the picture, with scores.
        texts: boxes of texts that must not be cut.
        safe: margins in which the platform covers what is there.
    """
    width, height, ratio = float(picture.width), float(picture.height), size[0] / size[1]
    held = to_hold(product, things, texts, width, height)
    worth = attention(saliency(picture), width, height, [*things, *texts, *product])
    if held.box is None:
        window = best(worth, width, height, ratio)
        return Crop(_cut(picture, window, _sized(window, size)), window, held, None, None, "keeps what draws the eye")
    for margins in (safe,) if held.given else (safe, WHOLE):
        window = holding(worth, width, height, ratio, held.box, margins)
        if window is not None:
            reason = f"holds {held.name}{'' if margins == safe else ', not in the safe zone'}"
            pixels = _cut(picture, window, _sized(window, size))
            return Crop(pixels, window, held, window.kept(held.box), None, reason)
    return _padded(picture, size, held, held.box, safe)


def _padded(picture: Picture, size: tuple[int, int], held: HeldParts, box: Box, safe: Margins) -> Crop:
    """Padded so that it shows the box around all that is held."""
    width, height, ratio = float(picture.width), float(picture.height), size[0] / size[1]
    window = padded(width, height, ratio, box, safe)
    if not held.given and window.outside(width, height) > MOST_PADDING:
        window = padded(width, height, ratio, box, WHOLE)
    share = window.outside(width, height)
    largest = min(width, height * ratio)
    several = len(held.parts) > 1
    why = (
        f"{held.name} {'are' if several else 'is'} {box.width:,.0f} by {box.height:,.0f}{' together' * several}; "
        f"the largest crop of {size[0]}:{size[1]} is {largest:,.0f} by {largest / ratio:,.0f}"
        f"{', part of it unsafe' if safe != WHOLE else ''}"
    )
    if share > MOST_PADDING:
        reason = (
            f"refused: {why}; padding would be {share:.0%} of it. Use a picture with more around it, or another format"
        )
        return Crop(None, window, held, 0.0, None, reason)
    pixels, background = _on_background(picture, window, size)
    filled = "the colour of its border" if background == "border" else "itself, blurred"
    return Crop(pixels, window, held, window.kept(box), background, f"padded with {filled}: {why}")


def _sized(window: CropWindow, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a window's picture: `size`, or as many pixels as there are."""
    share = min(1.0, window.width / size[0])
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _cut(picture: Picture, window: CropWindow, size: tuple[int, int]) -> Pixels:
    """The window within the picture, resized to a width and height."""
    from PIL import Image

    rows, columns = picture.pixels.shape[:2]
    left, right = (min(max(edge * picture.scale, 0.0), columns) for edge in (window.left, window.right))
    top, bottom = (min(max(edge * picture.scale, 0.0), rows) for edge in (window.top, window.bottom))
    box = (left, top, right, bottom)
    sized = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    return np.asarray(sized)


def _on_background(picture: Picture, window: CropWindow, size: tuple[int, int]) -> tuple[Pixels, Background]:
    """The window at its size: what of the picture lies in it, on a background."""
    across, down = _sized(window, size)
    share = across / window.width
    pixels, background = _background(picture.pixels, across, down)
    inner = CropWindow(
        max(window.left, 0.0),
        max(window.top, 0.0),
        min(window.right, picture.width) - max(window.left, 0.0),
        min(window.bottom, picture.height) - max(window.top, 0.0),
    )
    left, top = round((inner.left - window.left) * share), round((inner.top - window.top) * share)
    inside = (
        max(1, min(round(inner.width * share), across - left)),
        max(1, min(round(inner.height * share), down - top)),
    )
    pixels[top : top + inside[1], left : left + inside[0]] = _cut(picture, inner, inside)
    return pixels, background


def _background(pixels: Pixels, width: int, height: int) -> tuple[Pixels, Background]:
    """The colour of the picture's border if that is plain, else the picture, enlarged to cover and blurred."""
    import cv2

    rows, columns = pixels.shape[:2]
    rim = max(1, round(_BORDER * min(rows, columns)))
    edges = (pixels[:rim], pixels[-rim:], pixels[:, :rim], pixels[:, -rim:])
    border = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    if border.std(axis=0).max() <= _PLAIN:
        colour = np.median(border, axis=0).astype(np.uint8)
        return np.broadcast_to(colour, (height, width, 3)).copy(), "border"
    across, down = min(columns, rows * width / height), min(rows, columns * height / width)
    left, top = round((columns - across) / 2), round((rows - down) / 2)
    part = pixels[top : top + max(1, round(down)), left : left + max(1, round(across))]
    share = _BLURRED / max(width, height)
    small = cv2.resize(
        part, (max(1, round(width * share)), max(1, round(height * share))), interpolation=cv2.INTER_AREA
    )
    blurred = cv2.GaussianBlur(small, (0, 0), _BLUR)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8), "blur"
