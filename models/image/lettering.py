"""Text in a picture: where it stands and what it says, by PP-OCRv6 small (Cui et al., "PaddleOCR 3.0", 2025).

The weights are those in the package `rapidocr` (Apache 2.0), whose code is not imported: it takes seconds and may ask
the network. Upright, slanted and upended lines in Latin, Chinese and Japanese are read; text on its head is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture, Pixels
from models.image.weights import session, verified, without_denormals

_DETECTOR = ("models/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f")
_READER = ("models/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884")
#: Longer side on which lines are looked for, and how far a smaller picture is enlarged for it.
SIDE, ENLARGED = 736, 2.0
#: Lines that are read, the largest first: each takes about 25 ms.
MOST_LINES = 32
#: A line is kept if its mean probability of text, and the reader's confidence in its characters, are at least so; of a
#: single character more is asked, as shapes look like one.
TEXT_SCORE, CONFIDENCE, CONFIDENCE_OF_ONE = 0.5, 0.6, 0.9
#: A pixel is text from this probability; how far a region is widened, as the network marks shrunken ones (Liao et al.,
#: "Real-time scene text detection with differentiable binarization", 2020).
_MARKED, _WIDENED = 0.3, 1.6
#: Share of the picture from which one or two letters are rather a thing of that shape.
_LARGEST = 0.2
#: Height that the reader wants, and the widest line that it gets.
_HEIGHT, _WIDEST = 48, 1600

Corners = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TextLine:
    """A line of text.

    Attributes:
        text: what it says.
        confidence: mean probability of its characters, 0 to 1.
        corners: four points (x, y) in pixels of the upright original picture, from the beginning of the text clockwise.
    """

    text: str
    confidence: float
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Lettering:
    """All text of a picture: its lines from top to bottom, and the share of the picture's area that they cover."""

    lines: tuple[TextLine, ...] = ()
    share: float = 0.0

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


def lettering(picture: Picture) -> Lettering:
    """Find and read the text of a picture. Of more than `MOST_LINES` the largest are read."""
    pixels = picture.pixels
    places = sorted(_places(pixels), key=_area, reverse=True)[:MOST_LINES]
    read = (_surest(pixels, corners) for corners in places)
    kept = [
        (corners, text, sure)
        for corners, text, sure in read
        if _is_text(text, sure) and not _round_thing(corners, text, pixels)
    ]
    kept.sort(key=lambda one: (float(one[0][:, 1].min()), float(one[0][:, 0].min())))
    lines = [TextLine(text, round(sure, 4), _points(corners / picture.scale)) for corners, text, sure in kept]
    return of_lines(lines, picture)


def of_lines(lines: Sequence[TextLine], picture: Picture) -> Lettering:
    """These lines of a picture, and the share of it that they cover."""
    places = [np.array(line.corners, np.float32) * np.float32(picture.scale) for line in lines]
    return Lettering(tuple(lines), _share(places, picture.pixels))


def _round_thing(corners: Corners, text: str, pixels: Pixels) -> bool:
    """Whether one or two letters cover so much that they are a cup, a plate or a wheel."""
    return len(text) <= 2 and _area(corners) > _LARGEST * pixels.shape[0] * pixels.shape[1]


def _places(pixels: Pixels) -> Iterator[Corners]:
    """Rectangles around lines of text, in any direction."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(SIDE / max(height, width), ENLARGED)
    sized = [max(32, round(side * scale / 32) * 32) for side in (width, height)]
    network = _network(*_DETECTOR)
    resized = np.asarray(cv2.resize(pixels, sized), np.uint8)
    found = network.run(None, {network.get_inputs()[0].name: _normal(resized)})[0][0, 0]
    marked = cv2.dilate((found > _MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(marked, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    for contour in contours:
        centre, (across, down), angle = cv2.minAreaRect(contour)
        if min(across, down) < 3 or _probability(found, contour) < TEXT_SCORE:
            continue
        wider = 2 * _WIDENED * across * down / (2 * (across + down))
        corners = cv2.boxPoints((centre, (across + wider, down + wider), angle))
        yield _ordered(np.asarray(corners / np.array(sized) * np.array([width, height]), np.float32))


def _probability(found: npt.NDArray[np.float32], contour: Any) -> float:
    """Mean probability of text within a contour."""
    import cv2

    left, top, across, down = cv2.boundingRect(contour)
    inside = np.zeros((down, across), np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, -1, offset=(-left, -top))
    return float(cv2.mean(found[top : top + down, left : left + across], inside)[0])


def _ordered(corners: Corners) -> Corners:
    """From top left clockwise."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)


def _surest(pixels: Pixels, corners: Corners) -> tuple[Corners, str, float]:
    """A line with its text and confidence; an upended one is read upwards and downwards."""
    across, down = _sides(corners)
    ways = [np.roll(corners, turn, axis=0) for turn in ((1, -1) if down >= 1.5 * across else (0,))]
    return max(((way, *_read(_cut(pixels, way))) for way in ways), key=lambda one: one[2])


def _cut(pixels: Pixels, corners: Corners) -> Pixels:
    """The line alone, `_HEIGHT` pixels high."""
    import cv2

    across, down = _sides(corners)
    width = int(np.clip(round(across / max(down, 1.0) * _HEIGHT / 8) * 8, 16, _WIDEST))
    upright = np.array([[0, 0], [width, 0], [width, _HEIGHT], [0, _HEIGHT]], np.float32)
    # Text much higher than the reader's is reduced first: taken point by point it would be ragged.
    reduced = max(1, int(down // (2 * _HEIGHT)))
    source = pixels if reduced == 1 else cv2.resize(pixels, None, fx=1 / reduced, fy=1 / reduced, interpolation=3)
    turned = cv2.getPerspectiveTransform((corners / reduced).astype(np.float32), upright)
    line = cv2.warpPerspective(source, turned, (width, _HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(line, np.uint8)


def _read(line: Pixels) -> tuple[str, float]:
    """What a line says and how sure of its characters the reader is: the best path of its CTC (Graves et al., 2006)."""
    network = _network(*_READER)
    steps = network.run(None, {network.get_inputs()[0].name: _normal(line)})[0][0]
    best, sure = steps.argmax(axis=1), steps.max(axis=1)
    fresh = (best != 0) & (best != np.concatenate([[0], best[:-1]]))
    letters = _letters()
    text = "".join(letters[code] for code in best[fresh])
    return text.strip(), float(sure[fresh].mean()) if fresh.any() else 0.0


def _normal(pixels: Pixels) -> npt.NDArray[np.float32]:
    """One picture as the networks want it: blue first, from -1 to 1, (1, 3, height, width)."""
    scaled = pixels[:, :, ::-1].astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _is_text(text: str, sure: float) -> bool:
    said = sum(letter.isalnum() for letter in text)
    return said > 0 and sure >= (CONFIDENCE if said > 1 else CONFIDENCE_OF_ONE)


def _sides(corners: Corners) -> tuple[float, float]:
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def _area(corners: Corners) -> float:
    across, down = _sides(corners)
    return across * down


def _points(corners: Corners) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)


def _share(places: list[Corners], pixels: Pixels) -> float:
    """Share of the picture within any of the places."""
    import cv2

    covered = np.zeros(pixels.shape[:2], np.uint8)
    for corners in places:
        cv2.fillConvexPoly(covered, corners.round().astype(np.int32), 1)
    return float(covered.mean())


@cache
def _letters() -> tuple[str, ...]:
    """Characters by the reader's codes; 0 is none, the last is the space."""
    told = _network(*_READER).get_modelmeta().custom_metadata_map["character"]
    return ("", *told.splitlines(), " ")


@cache
def _network(file: str, sha256: str) -> Any:
    return session(without_denormals(verified("rapidocr", file, sha256)))
