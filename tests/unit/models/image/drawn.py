"""Pictures that are drawn for a test, and photographs that every environment has."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import skimage
import sklearn
from PIL import Image, ImageDraw, ImageFont

from models.image.picture import Picture, opened

PHOTOS = Path(skimage.__file__).parent / "data"
CHINA = Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"


def photo(name: str) -> Picture:
    """One of scikit-image's."""
    return opened((PHOTOS / name).read_bytes())


def picture(image: Image.Image) -> Picture:
    return opened(png(image))


def png(image: Image.Image) -> bytes:
    return written(image, "PNG", compress_level=1)


def written(image: Image.Image, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def sky(width: int = 640, height: int = 640) -> Image.Image:
    """A sky that grows lighter towards the horizon."""
    shades = np.linspace([120, 170, 225], [215, 230, 245], height).astype(np.uint8)
    return Image.fromarray(shades[:, None].repeat(width, axis=1))


def plain(colour: str | tuple[int, int, int], width: int = 320, height: int = 320) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def lettered(
    image: Image.Image, text: str, at: tuple[int, int], size: int, colour: str | tuple[int, ...]
) -> Image.Image:
    """The same image, with a text written on it."""
    ImageDraw.Draw(image).text(at, text, font=ImageFont.load_default(size), fill=colour)
    return image
