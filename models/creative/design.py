"""What the members read of a creative in a context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from models.creative.copy import CopyModel
from models.creative.levels import Column, HistoryPrior, Levels
from models.creative.outputs import CTR, Array, Output
from models.inputs import texts
from models.tabular import Encoder, Matrix, require
from models.vectors import Picker

#: Text columns that are read as such, and none of which is a category of its own.
TEXTS = ("headline", "body")
#: Feature columns that are carried and not read, or read as `TEXTS`.
NOT_ENCODED = (*TEXTS, "image")
#: Columns that are logarithms in the matrix, as counts are long-tailed.
COUNTS = (
    *("shown_impressions", "shown_clicks", "shown_conversions", "shown_expected_clicks", "campaign_impressions"),
    *("shown_clicks_7d", "shown_expected_clicks_7d", "campaign_impressions_7d"),
)


@dataclass(frozen=True)
class EncodedRows:
    """Encoded rows, and the texts that are looked up by."""

    encoded: Matrix
    texts: dict[str, Sequence[str | None]]


@dataclass(frozen=True)
class CreativeDesign:
    """The input of the members.

    Attributes:
        matrix: (rows, `Inputs.names`), NaN where missing.
        start: by output, where the prediction starts, linked.
        level: the same without what the creative has of its own.
        score: worth of the text, a logarithm.
        exposures: by rate, the events expected of the creative that its own history rests on.
    """

    matrix: Matrix
    start: dict[str, Array]
    level: dict[str, Array]
    score: Array
    exposures: dict[str, Array]


@dataclass(frozen=True)
class CreativeInputs:
    """From raw feature rows to a design. `copy` is None where no creative has a text."""

    encoder: Encoder
    levels: Levels
    shrinkage: HistoryPrior
    copy: CopyModel | None
    outputs: tuple[Output, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix."""
        size = 0 if self.copy is None else len(self.copy.vectors.plain)
        return (*self.encoder.names, "weekend", "text", "lift", *(f"text_{place}" for place in range(size)))

    @property
    def origins(self) -> tuple[str, ...]:
        """The raw column of each; `text` for those of headline and body, `history` for the ratio so far."""
        rest = len(self.names) - len(self.encoder.names) - 3
        return (*self.encoder.origins, "weekday", "text", "history", *("text",) * rest)

    def rows(self, frame: pd.DataFrame) -> EncodedRows:
        """Encode feature rows. Raises `InvalidRows` naming a column that is missing or wrong."""
        read = (*TEXTS, *self.looked_up)
        require(frame, read)
        return EncodedRows(self.encoder.encode(frame), {name: texts(frame, name) for name in read})

    def picked(self, column: Column, given: Mapping[str, Sequence[str | None]]) -> EncodedRows:
        """The same from columns, as `rows` encodes a frame. Raises `InvalidRows` for infinite values."""
        numbers = np.column_stack([column(name) for name in self._plain])
        read = {name: given[name] for name in (*TEXTS, *self.looked_up)}
        return EncodedRows(self._picker.encode(numbers, given), read)

    @property
    def _plain(self) -> tuple[str, ...]:
        return (*self.encoder.numbers, *self.encoder.booleans)

    @cached_property
    def _picker(self) -> Picker:
        return Picker(self.encoder, self._plain, tuple(self.encoder.categories))

    @cached_property
    def _places(self) -> dict[str, int]:
        """The column of each of the encoder's names."""
        return {name: place for place, name in enumerate(self.encoder.names)}

    @property
    def looked_up(self) -> tuple[str, ...]:
        """Text columns of the context that more than the encoder reads."""
        return ("campaign_id", "audience")

    def design(self, rows: EncodedRows, score: Array | None = None) -> CreativeDesign:
        """The design of encoded rows. `score` replaces the worth of the texts, by one told without the creative."""
        places = self._places
        missing = np.full(len(rows.encoded), np.nan)

        def column(name: str) -> Array:
            return rows.encoded[:, places[name]].astype(np.float64) if name in places else missing

        vectors = None if self.copy is None else self.copy.vectors.of(*(rows.texts[name] for name in TEXTS))
        if score is None:
            score = np.zeros(len(missing))
            if self.copy is not None and vectors is not None:
                score = self.copy.score(vectors, rows.texts["audience"])
        lift = self.shrinkage.lift(column, score)
        level = {one.name: one.link(self.levels.of(one, column, rows.texts["campaign_id"])) for one in self.outputs}
        start = {one.name: level[one.name] + self._own(one, column, lift) for one in self.outputs}
        own = np.column_stack([column("weekday") >= 5, score, np.log(lift)])
        parts = [self._logarithms(rows.encoded), own.astype(np.float32)]
        if self.copy is not None and vectors is not None:
            parts.append(vectors[:, self.copy.vectors.plain].astype(np.float32))
        exposures = {one.name: self._exposure(one, column, level[one.name]) for one in self.outputs if one.rate}
        return CreativeDesign(np.hstack(parts), start, level, score, exposures)

    def _own(self, output: Output, column: Column, lift: Array) -> Array:
        """The creative's ratio to the level, as a logarithm."""
        if output is CTR:
            return np.log(lift)
        return np.log(np.nan_to_num(column(output.lift), nan=1.0))

    def _exposure(self, output: Output, column: Column, level: Array) -> Array:
        """Events expected of the history: clicks by their contexts, others at the level of the campaign."""
        if output is CTR:
            return self.shrinkage.exposure(column)
        trials = "shown_clicks" if output.trials == "clicks" else "shown_impressions"
        return np.asarray(np.nan_to_num(column(trials)) * output.unlink(level))

    def _logarithms(self, encoded: Matrix) -> Matrix:
        counts = [self._places[name] for name in COUNTS if name in self._places]
        matrix = encoded.copy()
        matrix[:, counts] = np.log1p(np.maximum(matrix[:, counts], 0))
        return matrix

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, without the copy model."""
        return {
            "encoder": self.encoder.to_dict(),
            "levels": {"campaigns": self.levels.campaigns, "account": self.levels.account},
            "shrinkage": vars(self.shrinkage),
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any], copy: CopyModel | None, outputs: tuple[Output, ...]) -> Self:
        """What `to_dict` described."""
        levels, shrinkage = Levels(**saved["levels"]), HistoryPrior(**saved["shrinkage"])
        return cls(Encoder.from_dict(saved["encoder"]), levels, shrinkage, copy, outputs)
