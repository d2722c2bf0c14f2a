"""Draws on pictures for people: frames with labels, lines, shades, and captions below; everything by Pillow alone."""

import io
import unicodedata
from collections.abc import Sequence
from textwrap import wrap
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture, Pixels

#: Longer side of a drawing without its caption, and its shortest side: thin pictures would have no room for a label.
SIDE, SHORTEST = 1080, 240
#: Height of letters in labels and captions, and width of lines, in pixels.
LETTERS, LINE = 22, 4

Colour = tuple[int, int, int]
#: Left, top, right and bottom.
Place = tuple[float, float, float, float]
RED, GREEN, BLUE, ORANGE, PINK, YELLOW = (
    (225, 40, 40),
    (20, 150, 60),
    (30, 110, 220),
    (235, 130, 0),
    (215, 40, 160),
    (250, 210, 0),
)


def encoded(pixels: Pixels, kind: Literal["PNG", "JPEG"] = "PNG", **options: int) -> bytes:
    """A drawing as a file, with Pillow's options of that kind."""
    from PIL import Image

    to = io.BytesIO()
    Image.fromarray(pixels).save(to, kind, **options)
    return to.getvalue()


class Sketch:
    """A picture that is drawn on. Places are in pixels of the upright original; what is outside is cut off."""

    def __init__(self, picture: Picture, faded: bool = False) -> None:
        """Start from the picture; where it is `faded`, drawings stand out from it."""
        from PIL import Image, ImageDraw, ImageFont

        self._scale = SIDE / max(picture.width, picture.height)
        size = [max(1, round(side * self._scale)) for side in (picture.width, picture.height)]
        image = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS)
        if faded:
            image = Image.blend(image.convert("L").convert("RGB"), Image.new("RGB", image.size, "white"), 0.35)
        self._image = Image.new("RGB", [max(side, SHORTEST) for side in size], (110, 110, 110))
        self._image.paste(image)
        self._size = size
        self._pen, self._font = ImageDraw.Draw(self._image), ImageFont.load_default(LETTERS)
        self._framed: list[Place] = []
        self._labels: list[tuple[Place, str, Colour]] = []

    def frame(self, corners: Sequence[tuple[float, float]], colour: Colour, label: str = "") -> None:
        """A frame around corners in order, with a label where there is room for it."""
        points = [(x * self._scale, y * self._scale) for x, y in corners]
        closed = [*points, points[0], points[1]]
        self._pen.line(closed, fill="black", width=LINE + 4, joint="curve")
        self._pen.line(closed, fill=colour, width=LINE, joint="curve")
        xs, ys = zip(*points, strict=True)
        around = min(xs), min(ys), max(xs), max(ys)
        self._framed.append(around)
        if label:
            self._labels.append((around, plain(label), colour))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
        """A line between two places."""
        points = [(x * self._scale, y * self._scale) for x, y in (start, end)]
        self._pen.line(points, fill="black", width=LINE)
        self._pen.line(points, fill=colour, width=LINE - 2)

    def ring(self, place: tuple[float, float], colour: Colour, label: str) -> None:
        """A ring around a place, with a label."""
        x, y = (at * self._scale for at in place)
        for radius, shade, width in ((26, (0, 0, 0), LINE + 4), (24, colour, LINE)):
            self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=shade, width=width)
        self._labels.append(((x - 26, y - 26, x + 26, y + 26), plain(label), colour))

    def shade(self, where: npt.NDArray[np.bool_] | npt.NDArray[np.floating], colour: Colour, most: float = 0.6) -> None:
        """Colour over the picture, as strong as a map of its shape says: (height, width), from 0 to 1."""
        from PIL import Image

        strength = Image.fromarray((np.clip(where, 0, 1).astype(float) * 255 * most).astype(np.uint8))
        self._image.paste(colour, (0, 0), strength.resize(self._size, Image.Resampling.BILINEAR))

    def strip(self, colours: Sequence[tuple[str, str, float]]) -> None:
        """A strip of colours (`#rrggbb`, label, share) below the picture, as wide as their shares."""
        from PIL import Image, ImageDraw

        self._write_labels()
        high, width = 110, self._image.width
        below = Image.new("RGB", (width, self._image.height + high), "white")
        below.paste(self._image)
        pen, left, top = ImageDraw.Draw(below), 0.0, self._image.height
        total = sum(share for _, _, share in colours) or 1.0
        for colour, label, share in colours:
            right = left + share / total * width
            pen.rectangle((round(left), top, round(right), top + high), fill=colour)
            bright = sum(int(colour[place : place + 2], 16) for place in (1, 3, 5)) > 380
            for place, text in enumerate(label.split("\n")):
                if pen.textlength(text, font=self._font) < right - left - 10:
                    at = (round(left) + 8, top + 8 + place * (LETTERS + 8))
                    pen.text(at, text, fill="black" if bright else "white", font=self._font)
            left = right
        self._image, self._pen = below, ImageDraw.Draw(below)

    def done(self, title: str, lines: Sequence[str]) -> Pixels:
        """The drawing with a caption below it."""
        from PIL import Image, ImageDraw, ImageFont

        self._write_labels()
        width = max(self._image.width, 640)
        room = max(20, int(width / (LETTERS * 0.52)))
        said = [part for line in lines for part in wrap(plain(line), room)]
        step = round(LETTERS * 1.4)
        whole = Image.new("RGB", (width, self._image.height + step * (len(said) + 1) + LETTERS + 10), "white")
        whole.paste(self._image, ((width - self._image.width) // 2, 0))
        pen, top = ImageDraw.Draw(whole), self._image.height + LETTERS // 2
        pen.text((12, top), title, fill="black", font=ImageFont.load_default(LETTERS + 6))
        for place, text in enumerate(said):
            pen.text((12, top + 10 + (place + 1) * step), text, fill=(60, 60, 60), font=self._font)
        return np.asarray(whole)

    def _write_labels(self) -> None:
        """Each label at its place: where it covers least of other labels and of small things that are framed."""
        most = 0.1 * self._size[0] * self._size[1]
        taken = [place for place in self._framed if _shared(place, place) < most]
        for around, text, colour in self._labels:
            width, high = self._pen.textlength(text, font=self._font) + 12, LETTERS + 10
            spot = min(self._spots(around, width, high), key=lambda one: sum(_shared(one, other) for other in taken))
            taken.append(spot)
            self._pen.rectangle(spot, fill=colour, outline="black")
            dark = sum(colour) < 450
            self._pen.text((spot[0] + 6, spot[1] + 3), text, fill="white" if dark else "black", font=self._font)
        self._labels = []

    def _spots(self, around: Place, width: float, high: float) -> list[Place]:
        """Places of a label above, beside, below and within what it is of; all within the picture."""
        left, top, right, bottom = around
        corners = [
            (left, top - high),
            (right, top),
            (left, bottom),
            (left - width, top),
            (left, top),
            (right - width, top),
        ]
        room = max(0.0, self._size[0] - width), max(0.0, self._size[1] - high)
        held = [(min(max(x, 0.0), room[0]), min(max(y, 0.0), room[1])) for x, y in corners]
        return [(x, y, x + width, y + high) for x, y in held]


def plain(text: str) -> str:
    """A text in the letters that Pillow's own font has."""
    bare = unicodedata.normalize("NFKD", text.replace("\u2013", "-"))
    return "".join(letter if letter.isascii() else "?" for letter in bare if not unicodedata.combining(letter))


def _shared(one: Place, other: Place) -> float:
    """The area that two places share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)
