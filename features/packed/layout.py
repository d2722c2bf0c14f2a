"""How a row of a view is packed: moment, numbers and booleans as float64, then texts and vectors as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import orjson

Floats = npt.NDArray[np.float64]

#: A missing value is this one NaN of the many there are, so that a number that is NaN itself stays told from it.
MISSING = np.array([0x7FF8000000000ADF], dtype="<u8").view("<f8")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Layout:
    """The features of one view by kind, each kind in the view's order."""

    view: str
    numbers: tuple[str, ...]
    booleans: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: Any) -> Self:
        """The layout of a Feast view, or of a projection of one. Raises `ValueError` for a type it cannot hold."""
        kinds: dict[str, list[str]] = {"Float64": [], "Bool": [], "String": [], "Array(Float64)": []}
        for field in view.features:
            if str(field.dtype) not in kinds:
                raise ValueError(
                    f"feature '{field.name}' of {view.name}: expected one of {list(kinds)}, got {field.dtype}"
                )
            kinds[str(field.dtype)].append(field.name)
        return cls(view.name, *(tuple(names) for names in kinds.values()))

    @cached_property
    def size(self) -> int:
        """Bytes before the JSON."""
        return 8 * (1 + len(self.numbers) + len(self.booleans))

    @cached_property
    def empty(self) -> bytes:
        """The floats of an entity that the view does not have: its moment is 0 and all is missing."""
        return self.pack({}, None)[: self.size]

    def pack(self, values: Mapping[str, Any], at: datetime | None) -> bytes:
        """A row of Feast's values, as of `at`."""
        floats = np.full(self.size // 8, MISSING, dtype="<f8")
        floats[0] = 0 if at is None else micros(at)
        for place, name in enumerate((*self.numbers, *self.booleans), start=1):
            value = values.get(name)
            kind = value and value.WhichOneof("val")
            if kind:
                floats[place] = getattr(value, kind)
        if not self.texts + self.vectors:
            return floats.tobytes()
        told = [_told(values.get(name)) for name in self.texts + self.vectors]
        return floats.tobytes() + orjson.dumps(told)

    def floats(self, rows: Iterable[bytes | None]) -> Floats:
        """One line a row: moment in microseconds since 1970 (0: no such row), numbers, booleans; NaN where missing."""
        heads = [self.empty if row is None else row[: self.size] for row in rows]
        found: Floats = np.frombuffer(b"".join(heads), dtype="<f8").reshape(len(heads), -1)
        return found

    def told(self, row: bytes | None) -> list[Any]:
        """The texts of a row, then its vectors, each in the order of their names; None where one is missing."""
        names = self.texts + self.vectors
        if row is None or not names:
            return [None] * len(names)
        found: list[Any] = orjson.loads(row[self.size :])
        return found


def micros(at: datetime) -> int:
    """Microseconds since 1970. A clock without a zone is UTC, as Feast has it."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def moment(microseconds: float) -> datetime:
    """The inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=int(microseconds))


def _told(value: Any) -> str | list[float] | None:
    kind = value.WhichOneof("val") if value is not None else None
    if kind == "double_list_val":
        return list(value.double_list_val.val)
    return value.string_val if kind == "string_val" else None
