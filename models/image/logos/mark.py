"""Marks of brands: shapes of one colour, from the icons of Simple Icons (CC0) or from a user's file."""

import io
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture, Pixels

#: Longer side of a mark's shape in pixels, and the margin around it.
SIDE, MARGIN = 192, 32
#: Points along the edges of a shape at which pictures are compared with it.
POINTS = 240

#: Marks that are kept in memory, of about 200 KiB each with their features.
MARKS_KEPT = 200

Points = npt.NDArray[np.float32]


class UnknownBrand(LookupError):
    """No icon has this name: a file of its logo is needed."""

    def __init__(self, brand: str) -> None:
        super().__init__(f"brand: expected a name that Simple Icons has, or a file of its logo, got {brand!r}")
        self.brand = brand


@dataclass(frozen=True, eq=False)
class Mark:
    """The shape of a brand's logo.

    Attributes:
        brand: its name.
        shape: (height, width), 255 inside the mark, 0 outside, soft edges between.
        edges: (POINTS, 2) x and y of points on its edges, in pixels of `shape`.
        normals: (POINTS, 2) unit vectors from those points out of the mark.
        length: of all edges, in pixels of `shape`.
    """

    brand: str
    shape: Pixels
    edges: Points
    normals: Points
    length: int


@lru_cache(MARKS_KEPT)
def of_brand(brand: str) -> Mark:
    """The mark of a brand by its name, such as `Coca-Cola`. Raises `UnknownBrand`."""
    import resvg_py
    from PIL import Image
    from simple_icons_pack import get_icon

    icon = get_icon(slug(brand))
    if icon is None:
        raise UnknownBrand(brand)
    drawn = resvg_py.svg_to_bytes(icon.svg, width=4 * SIDE, skip_system_fonts=True)
    with Image.open(io.BytesIO(drawn)) as image:
        return _mark(brand, np.asarray(image.convert("RGBA").getchannel("A")))


def of_picture(brand: str, logo: Picture) -> Mark:
    """The mark in a file: what is opaque or, of a picture without transparency, what is not as its border is."""
    if logo.alpha is not None:
        return _mark(brand, logo.alpha)
    rim = np.concatenate([logo.pixels[0], logo.pixels[-1], logo.pixels[:, 0], logo.pixels[:, -1]]).astype(float)
    apart = np.linalg.norm(logo.pixels - np.median(rim, axis=0), axis=2)
    return _mark(brand, np.clip(apart / max(float(apart.max()), 1.0) * 2 * 255, 0, 255).astype(np.uint8))


def slug(brand: str) -> str:
    """A name as Simple Icons writes it."""
    named = brand.lower().replace("+", "plus").replace("&", "and").replace(".", "dot")
    plain = unicodedata.normalize("NFKD", named).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain)


def _mark(brand: str, opaque: Pixels) -> Mark:
    import cv2

    inside = np.argwhere(opaque > 127)
    if len(inside) < 16:
        raise UnknownBrand(brand)
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
    scale = SIDE / max(bottom - top, right - left)
    size = max(8, round((right - left) * scale)), max(8, round((bottom - top) * scale))
    tight = cv2.resize(opaque[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    shape = np.pad(np.asarray(tight, np.uint8), MARGIN)
    return Mark(brand, shape, *_edges(shape))


def _edges(shape: Pixels) -> tuple[Points, Points, int]:
    """Points evenly along all edges of a shape, the directions out of it there, and the edges' length."""
    import cv2

    smooth = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 1.5)
    contours = cv2.findContours((shape > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
    every = np.concatenate([contour[:, 0] for contour in contours])
    chosen = every[np.linspace(0, len(every) - 1, POINTS).round().astype(int)]
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))]
    inwards = np.stack([slope[chosen[:, 1], chosen[:, 0]] for slope in slopes], axis=1)
    lengths = np.linalg.norm(inwards, axis=1, keepdims=True)
    return chosen.astype(np.float32), np.asarray(-inwards / np.maximum(lengths, 1e-6), np.float32), len(every)
