"""Fast prediction from float vectors and lists of texts, without data frames."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from models.inputs import InvalidRows
from models.tabular import Encoder, Matrix

Floats = npt.NDArray[np.float64]
Texts = Mapping[str, Sequence[str | None]]


@runtime_checkable
class Vectorized(Protocol):
    """A model that also predicts from encoded rows, without frames."""

    @property
    def encoder(self) -> Encoder: ...

    def answer(self, encoded: Matrix) -> dict[str, npt.NDArray[Any]]:
        """The columns of `predict`'s frame."""


@runtime_checkable
class Columnar(Protocol):
    """A model that also predicts from columns, each of (rows,), without a frame.

    Attributes:
        beside: numeric inputs in addition to the columns of its bundle, which requests may contain.
        says: the names of its outputs.
    """

    beside: tuple[str, ...]
    says: frozenset[str]

    def answer_columns(self, column: Callable[[str], Floats], texts: Texts) -> Mapping[str, Floats]:
        """Outputs by name.

        Args:
            column: the numbers of a name, NaN where missing.
        """


@runtime_checkable
class Selective(Protocol):
    """A columnar model that can be asked for some of its answers alone."""

    def only(self, answers: Collection[str]) -> Columnar:
        """The model that gives these answers, equal to the bit, and as few others as it can."""


class Picker:
    """Encodes vectors as `Encoder.encode` does frames.

    Args:
        columns, texts: names of the numbers and of the texts; raises `InvalidRows` where the encoder needs another.
    """

    def __init__(self, encoder: Encoder, columns: Sequence[str], texts: Sequence[str]) -> None:
        places = {name: place for place, name in enumerate(columns)}
        plain = (*encoder.numbers, *encoder.booleans)
        for name, there in [*((one, places) for one in plain), *((one, texts) for one in encoder.categories)]:
            if name not in there:
                raise InvalidRows(name, "a column of this name", "no such column")
        self._names, self._plain = plain, np.array([places[name] for name in plain], dtype=np.intp)
        self._width, start = len(encoder.names), len(plain)
        self._categories: dict[str, dict[str | None, int]] = {}
        for name, known in encoder.categories.items():
            self._categories[name] = {value: start + place for place, value in enumerate(known)}
            start += len(known)

    def encode(self, numbers: Floats, texts: Texts) -> Matrix:
        """Encode rows of `numbers`, where NaN means missing. Raises `InvalidRows` for infinite values."""
        with np.errstate(over="ignore"):
            plain = numbers.take(self._plain, axis=1).astype(np.float32)
        infinite = np.isinf(plain)
        if infinite.any():
            row, place = np.argwhere(infinite)[0]
            raise InvalidRows(self._names[place], "a finite number", float(numbers[row, self._plain[place]]))
        if not self._categories:
            return plain
        matrix = np.zeros((len(numbers), self._width), dtype=np.float32)
        matrix[:, : len(self._plain)] = plain
        for name, known in self._categories.items():
            for row, value in enumerate(texts[name]):
                if value in known:
                    matrix[row, known[value]] = 1
        return matrix
