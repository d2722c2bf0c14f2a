"""Faces, counted and boxed. Nobody is recognised: no property of a face is kept but its place.

Frontal faces by a cascade of boosted features (Viola and Jones, 2001; Lienhart and Maydt, 2002) that comes with OpenCV.
Profiles, turned heads and faces smaller than a thirtieth of the picture are missed.
"""

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

from models.image.box import Box
from models.image.picture import Picture
from models.image.weights import verified

_CASCADE = (
    "data/haarcascade_frontalface_alt2.xml",
    "7b0c967d9abbdfbde025eb9c786947d151b6426040d07a8f9562ed8fd90724b4",
)
#: Longer side on which faces are looked for, and the smallest face in parts of it.
SIDE, SMALLEST = 480, 1 / 30
#: Windows that must agree on a face, and how many are enough within a person: alone the cascade sees faces on packages.
AGREEING, AGREEING_IN_PERSON = 10, 3
_FACE = "face"
_one_at_a_time = threading.Lock()


def faces(picture: Picture, people: Sequence[Box] = ()) -> tuple[Box, ...]:
    """Boxes of the faces of a picture, the largest first.

    Args:
        people: boxes of persons in it, within which a fainter face counts.
    """
    import cv2

    gray = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, SIDE / max(gray.shape))
    size = [max(1, round(side * scale)) for side in gray.shape[::-1]]
    small = cv2.equalizeHist(cv2.resize(gray, size, interpolation=cv2.INTER_AREA))
    least = max(20, round(SMALLEST * max(size)))
    with _one_at_a_time:  # the cascade keeps what it is working on
        found, agreeing = _cascade().detectMultiScale2(small, 1.1, AGREEING_IN_PERSON, 0, (least, least))
    boxes = [_box(place, count, scale * picture.scale) for place, count in zip(found, agreeing, strict=True)]
    sure = [box for box, count in zip(boxes, agreeing, strict=True) if count >= AGREEING or _worn_by(box, people)]
    return tuple(sorted(sure, key=lambda box: (-box.area, box.place)))


def _box(place: Sequence[int], agreeing: int, scale: float) -> Box:
    left, top, width, height = (round(float(edge) / scale, 1) for edge in place)
    return Box(_FACE, round(float(agreeing / (agreeing + AGREEING)), 4), left, top, left + width, top + height)


def _worn_by(face: Box, people: Sequence[Box]) -> bool:
    """Whether a face is in the upper half of a person, and not much wider than one."""
    across, down = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    return any(
        one.left <= across <= one.right and one.top <= down <= one.top + one.height / 2 and face.width <= one.width
        for one in people
    )


@cache
def _cascade() -> Any:
    import cv2

    told = cv2.FileStorage(verified("cv2", *_CASCADE).decode(), cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(told.getFirstTopLevelNode())
    return cascade
