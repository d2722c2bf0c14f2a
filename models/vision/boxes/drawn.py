"""Boxes that people drew, as tables tell them, and how pictures are varied with them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from models.image.box import Box, InvalidBox, from_json
from models.image.detector import MEAN
from models.image.picture import Picture, Pixels
from models.inputs import InvalidRows, is_missing

BOXES = "boxes"
#: Pixels, and share of a picture's side, that a box may be outside; tools round, and count from 0 or 1.
OUTSIDE = 2.0, 0.01
#: A variant is this much smaller than the picture, or larger, amid the mean colour.
SMALLEST, LARGEST = 0.6, 1.4
#: Least share of a box in a part of a picture that is told of it there.
SHOWN = 0.4


def told(value: Any, row: object) -> list[Box] | None:
    """The boxes of a row; None where it tells nothing of them. Raises `InvalidRows` that names box, field and row."""
    if is_missing(value):
        return None
    try:
        return from_json(str(value))
    except InvalidBox as fault:
        raise InvalidRows(fault.field, fault.expected, f"{fault.got!r} in row {row}") from fault


def told_of(rows: pd.DataFrame) -> list[list[Box] | None]:
    """The boxes of each row of a table. Raises `InvalidRows`."""
    if BOXES not in rows:
        raise InvalidRows(BOXES, "a column of this name", "no such column")
    return [told(value, row) for row, value in rows[BOXES].items()]


def inside(boxes: Sequence[Box], picture: Picture, row: object) -> list[Box]:
    """The boxes, clipped to their picture. Raises `InvalidRows` for one that is outside by more than `OUTSIDE`."""
    pixels, share = OUTSIDE
    for place, box in enumerate(boxes):
        for edge, end in (("right", picture.width), ("bottom", picture.height)):
            value, first = getattr(box, edge), "left" if edge == "right" else "top"
            off = pixels + share * end
            if value > end + off:
                raise InvalidRows(f"boxes[{place}].{edge}", f"at most {end}, the picture's", f"{value} in row {row}")
            if getattr(box, first) < -off:
                raise InvalidRows(f"boxes[{place}].{first}", "at least 0", f"{getattr(box, first)} in row {row}")
    return [box.clip(picture.width, picture.height) for box in boxes]


def variants(
    pixels: Pixels, boxes: Sequence[Box], count: int, rng: np.random.Generator
) -> Iterator[tuple[Pixels, list[Box]]]:
    """The picture, mirrored, then nearer or farther, mirrored or not; with its boxes, in these pixels."""
    shown, told = pixels, list(boxes)
    for number in range(count):
        if number > 1:
            shown, told = _zoomed(pixels, boxes, rng)
        mirrored = number == 1 or (number > 1 and rng.random() < 0.5)
        yield _mirrored(shown, told) if mirrored else (shown, told)


def _mirrored(pixels: Pixels, boxes: Sequence[Box]) -> tuple[Pixels, list[Box]]:
    width = pixels.shape[1]
    turned = [replace(box, left=width - box.right, right=width - box.left) for box in boxes]
    return np.ascontiguousarray(pixels[:, ::-1]), turned


def _zoomed(pixels: Pixels, boxes: Sequence[Box], rng: np.random.Generator) -> tuple[Pixels, list[Box]]:
    """What a window of another size shows, somewhere over the picture or around it."""
    height, width = pixels.shape[:2]
    share = rng.uniform(SMALLEST, LARGEST)
    wide, high = max(1, round(width * share)), max(1, round(height * share))
    left, top = (round(rng.uniform(min(0, room), max(0, room))) for room in (width - wide, height - high))
    window = np.full((high, wide, 3), MEAN[::-1].round(), np.uint8)
    from_x, from_y, to_x, to_y = max(left, 0), max(top, 0), min(left + wide, width), min(top + high, height)
    window[from_y - top : to_y - top, from_x - left : to_x - left] = pixels[from_y:to_y, from_x:to_x]
    moved = [box.moved(-left, -top) for box in boxes]
    clipped = [(box, box.clip(wide, high)) for box in moved]
    return window, [part for box, part in clipped if part.area > SHOWN * box.area]
