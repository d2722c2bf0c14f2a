"""Draws a crop over its picture: what is kept, what is held, what the platform covers, and the reason below."""

from textwrap import wrap
from typing import Any

import numpy as np

from models.image.picture import Picture, Pixels
from serving.images.crop import Crop
from serving.images.window import WHOLE, CropWindow, Margins

#: Longer side of the drawing without its caption; height of the caption's letters.
SIDE, _LETTERS = 1000, 20
_KEPT, _HELD, _REFUSED, _COVERED = (255, 255, 255), (60, 220, 90), (235, 60, 50), (255, 170, 0, 90)


def overlay(picture: Picture, crop: Crop, safe: Margins = WHOLE, title: str = "") -> Pixels:
    """The whole picture, and around it the padding; what the crop leaves out is dark, what is covered is orange."""
    from PIL import Image, ImageDraw

    window, size = crop.window, (float(picture.width), float(picture.height))
    left, top = min(0.0, window.left), min(0.0, window.top)
    right, bottom = max(size[0], window.right), max(size[1], window.bottom)
    share = SIDE / max(right - left, bottom - top)

    def placed(part: CropWindow) -> tuple[int, int, int, int]:
        begin = round((part.left - left) * share), round((part.top - top) * share)
        return *begin, round((part.right - left) * share), round((part.bottom - top) * share)

    whole = placed(CropWindow(left, top, right - left, bottom - top))
    drawn = Image.new("RGB", whole[2:], (70, 70, 70))
    at = placed(CropWindow(0, 0, *size))
    drawn.paste(Image.fromarray(picture.pixels).resize((max(1, at[2] - at[0]), max(1, at[3] - at[1]))), at[:2])
    kept = placed(window)
    if crop.pixels is not None:
        dark = drawn.point(lambda value: value // 3)
        inner = Image.fromarray(crop.pixels).resize((max(1, kept[2] - kept[0]), max(1, kept[3] - kept[1])))
        dark.paste(inner, kept[:2])
        drawn = dark
    pen = ImageDraw.Draw(drawn, "RGBA")
    if safe != WHOLE:
        _cover(pen, kept, placed(window.within(safe)))
    _frame(pen, kept, _KEPT if crop.pixels is not None else _REFUSED)
    for box in crop.held.parts:
        at = placed(CropWindow(box.left, box.top, box.width, box.height))
        _frame(pen, at, _HELD if crop.pixels is not None else _REFUSED)
    return np.asarray(_captioned(drawn, [title] * bool(title) + _lines(crop, safe, drawn.width)))


def _lines(crop: Crop, safe: Margins, width: int) -> list[str]:
    legend = ["white: the crop" if crop.pixels is not None else "red: what would have to fit"]
    if crop.held.parts and crop.pixels is not None:
        legend.append(f"green: {crop.held.name}")
    if safe != WHOLE:
        legend.append("orange: may be covered or cut off by the platform")
    room = max(20, int(width / (_LETTERS * 0.52)))
    return [line for text in (crop.reason, " · ".join(legend)) for line in wrap(text, room)]


def _cover(pen: Any, window: tuple[int, int, int, int], safe: tuple[int, int, int, int]) -> None:
    """The window without its safe part."""
    left, top, right, bottom = window
    for part in (
        (left, top, right, safe[1]),
        (left, safe[3], right, bottom),
        (left, safe[1], safe[0], safe[3]),
        (safe[2], safe[1], right, safe[3]),
    ):
        if part[2] > part[0] and part[3] > part[1]:
            pen.rectangle(part, fill=_COVERED)


def _frame(pen: Any, at: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    """A coloured line between two black ones, which shows on any picture."""
    left, top, right, bottom = at
    for inset, line, shade in ((0, 8, (0, 0, 0)), (2, 4, colour)):
        box = (left + inset, top + inset, max(right - 1 - inset, left + inset), max(bottom - 1 - inset, top + inset))
        pen.rectangle(box, outline=shade, width=line)


def _captioned(drawn: Any, lines: list[str]) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    step, font = round(_LETTERS * 1.4), ImageFont.load_default(_LETTERS)
    width = max(drawn.width, 480)
    whole = Image.new("RGB", (width, drawn.height + step * len(lines) + _LETTERS), "white")
    whole.paste(drawn, ((width - drawn.width) // 2, 0))
    pen = ImageDraw.Draw(whole)
    for place, line in enumerate(lines):
        pen.text((10, drawn.height + _LETTERS // 2 + place * step), line, fill="black", font=font)
    return whole
