"""What the last layer learns from: the likeliest cells of each picture in several variants, beside what people drew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.image.box import Box, overlaps, places
from models.image.detector import seen
from models.image.picture import Picture
from models.vision.boxes.drawn import inside, variants
from models.vision.boxes.head import COUNT, WIDTH, Array, described, likeliest, sizes
from models.vision.params import VisionParams
from models.vision.reading import pictures
from models.vision.tuning.filled import Filled, filled

#: After the numbers that are read of a cell: its overlap with the box that it overlaps most, the number of that box's
#: label, and how far its edges are off.
OVERLAP, CODE, OFF = WIDTH, WIDTH + 1, slice(WIDTH + 2, WIDTH + 6)


@dataclass(frozen=True)
class DrawnPictures:
    """Pictures by their URIs, the rows of the table that they come from, and their boxes."""

    uris: tuple[str, ...]
    rows: tuple[object, ...]
    boxes: tuple[list[Box], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the boxes, in alphabetical order."""
        return tuple(sorted({box.label for boxes in self.boxes for box in boxes}))

    def written(self, params: VisionParams, folder: Path) -> Filled:
        """Their cells (pictures, variants, COUNT, WIDTH + 6), on the disk; goes on where it was killed.

        Raises `InvalidRows` for a box outside its picture.
        """
        codes = {label: code for code, label in enumerate(self.labels)}

        def rows(start: int) -> Iterator[Array]:
            for place, picture in enumerate(pictures(self.uris[start:]), start):
                if picture is not None:
                    boxes = inside(self.boxes[place], picture, self.rows[place])
                    yield cells_of(picture, boxes, codes, params.variants, np.random.default_rng([params.seed, place]))

        shape = (len(self.uris), params.variants, COUNT, WIDTH + 6)
        return filled(folder / "cells.f16", shape, rows)


def cells_of(
    picture: Picture, boxes: Sequence[Box], codes: dict[str, int], count: int, rng: np.random.Generator
) -> Array:
    """The cells of a picture's variants, (variants, COUNT, WIDTH + 6)."""
    scaled, found = [box.scaled(picture.scale) for box in boxes], []
    for pixels, told in variants(picture.pixels, scaled, count, rng):
        likely = likeliest(seen(pixels, pixels.shape[1], pixels.shape[0]))
        numbers = np.array([codes[box.label] for box in told], dtype=float)
        targets = np.zeros((COUNT, 6))
        if told:
            shared = overlaps(likely.at, places(told))
            most = shared.argmax(axis=1)
            off = (places(told)[most] - likely.at) / sizes(likely.at)
            targets = np.hstack([shared.max(axis=1)[:, None], numbers[most][:, None], off])
        found.append(np.hstack([described(likely), targets]))
    return np.stack(found).astype(np.float32)
