"""Boxes: what is in a picture, and where."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

#: Rows of left, top, right and bottom.
Places = npt.NDArray[np.float64]
EDGES = ("left", "top", "right", "bottom")


class InvalidBox(ValueError):
    """Boxes that are no boxes: names the field, the expected and the actual value."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got)
        super().__init__(f"{field}: expected {expected}, got {shown if len(shown) < 200 else shown[:200]}")
        self.field, self.expected, self.got = field, expected, got


@dataclass(frozen=True)
class Box:
    """One thing in a picture.

    Attributes:
        label: what it is.
        score: how sure that is, from 0 to 1; 1 where a person said so.
        left, top, right, bottom: its edges in pixels of the upright original picture, from its upper left corner.
    """

    label: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return max(self.right - self.left, 0.0)

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 0.0)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def place(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.left, self.top, self.right, self.bottom

    def iou(self, other: "Box") -> float:
        """The shared area over the area of both together (Jaccard index), from 0 to 1."""
        return float(overlaps(places([self]), places([other]))[0, 0])

    def union(self, other: "Box") -> Self:
        """The smallest box around both, with this one's label and the higher score."""
        return replace(
            self,
            score=max(self.score, other.score),
            left=min(self.left, other.left),
            top=min(self.top, other.top),
            right=max(self.right, other.right),
            bottom=max(self.bottom, other.bottom),
        )

    def moved(self, right: float, down: float) -> Self:
        """So many pixels away."""
        return replace(
            self, left=self.left + right, top=self.top + down, right=self.right + right, bottom=self.bottom + down
        )

    def scaled(self, share: float) -> Self:
        """In the pixels of a picture of another size."""
        left, top, right, bottom = (edge * share for edge in self.place)
        return replace(self, left=left, top=top, right=right, bottom=bottom)

    def clip(self, width: float, height: float) -> Self:
        """Its part within a picture of this size; of area 0 where it is outside."""
        left, right = (min(max(edge, 0.0), width) for edge in (self.left, self.right))
        top, bottom = (min(max(edge, 0.0), height) for edge in (self.top, self.bottom))
        return replace(self, left=left, top=top, right=right, bottom=bottom)


def to_json(boxes: Iterable[Box]) -> str:
    """JSON text that `from_json` reads."""
    return json.dumps([asdict(box) for box in boxes])


def from_json(text: str) -> list[Box]:
    """Boxes from JSON text: a list of objects with `label`, `left`, `top`, `right`, `bottom` and maybe `score`.

    Raises `InvalidBox` that names the box by its place in the list, from 0, and its field.
    """
    try:
        told = json.loads(text)
    except ValueError as broken:
        raise InvalidBox("boxes", "JSON text", text) from broken
    if not isinstance(told, list):
        raise InvalidBox("boxes", "a list of objects", told)
    return [_box(f"boxes[{place}]", one) for place, one in enumerate(told)]


def places(boxes: Sequence[Box]) -> Places:
    """The edges of boxes, (boxes, 4)."""
    return np.array([box.place for box in boxes], dtype=float).reshape(-1, 4)


def has_area(at: Places) -> npt.NDArray[np.bool_]:
    """Whether each box has a width and a height above 0."""
    return (at[:, 0] < at[:, 2]) & (at[:, 1] < at[:, 3])


def overlaps(some: Places, others: Places) -> Places:
    """Intersection over union of each of `some` with each of `others`, (some, others)."""
    upper = np.maximum(some[:, None, :2], others[None, :, :2])
    lower = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.clip(lower - upper, 0, None).prod(axis=2)
    both = _areas(some)[:, None] + _areas(others)[None] - shared
    return np.divide(shared, both, out=np.zeros_like(shared), where=both > 0)


def suppressed(at: Places, scores: npt.ArrayLike, labels: npt.ArrayLike | None = None, most: float = 0.6) -> list[int]:
    """Greedy non-maximum suppression: rows of `at` to keep, the highest score first, equal scores by row.

    A row goes where one with a higher score, and the same label if labels are given, overlaps it by more than `most`.
    """
    scores = np.asarray(scores, dtype=float)
    kinds = np.zeros(len(scores)) if labels is None else np.asarray(labels)
    rest, kept = np.argsort(-scores, kind="stable"), []
    while len(rest):
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        same = (overlaps(at[[best]], at[rest])[0] > most) & (kinds[rest] == kinds[best])
        rest = rest[~same]
    return kept


def _areas(at: Places) -> Places:
    sizes: Places = np.clip(at[:, 2:] - at[:, :2], 0, None).prod(axis=1)
    return sizes


def _box(name: str, told: Any) -> Box:
    if not isinstance(told, dict):
        raise InvalidBox(name, "an object", told)
    known = ("label", "score", *EDGES)
    for field in told:
        if field not in known:
            raise InvalidBox(f"{name}.{field}", f"only {', '.join(known)}", field)
    label, score = told.get("label"), told.get("score", 1.0)
    if not isinstance(label, str) or not label.strip():
        raise InvalidBox(f"{name}.label", "text", label)
    if not _is_number(score) or not 0 <= score <= 1:
        raise InvalidBox(f"{name}.score", "a number from 0 to 1", score)
    left, top, right, bottom = (_edge(name, edge, told.get(edge)) for edge in EDGES)
    if right <= left:
        raise InvalidBox(f"{name}.right", f"more than left, {left:g}", right)
    if bottom <= top:
        raise InvalidBox(f"{name}.bottom", f"more than top, {top:g}", bottom)
    return Box(label, float(score), left, top, right, bottom)


def _edge(name: str, edge: str, value: Any) -> float:
    if not _is_number(value):
        raise InvalidBox(f"{name}.{edge}", "a finite number of pixels", value)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
