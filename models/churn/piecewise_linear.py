"""Piecewise-linear encoding of numbers, for non-linear effects in linear models and networks.

Piecewise-linear encoding with quantile bins: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features
in Tabular Deep Learning" (2022).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Basis:
    """Each piece rises from 0 to 1 while its column goes from `low` to `low + 1 / scale`.

    A column with two values (a category's, a boolean) has one piece and is unchanged.

    Attributes:
        columns: number of columns of the encoded matrix.
        column: column of each piece in the encoded matrix.
        low, scale: start and slope of each piece.
        gaps: columns with missing values in training; each has an indicator after the pieces.
        centre: mean of every piece and indicator, subtracted so that penalties treat them equally.
    """

    columns: int
    column: npt.NDArray[np.int64]
    low: Floats
    scale: Floats
    gaps: npt.NDArray[np.int64]
    centre: Floats

    @classmethod
    def fit(cls, x: Floats, bins: int = 10) -> "Basis":
        """Fit pieces to an encoded matrix with NaN for missing values."""
        column: list[int] = []
        low: list[np.float32] = []
        width: list[np.float32] = []
        for place, values in enumerate(x.T):
            known = values[~np.isnan(values)]
            if not len(known):
                continue
            edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)).astype(np.float32))
            column += [place] * (len(edges) - 1)
            low += list(edges[:-1])
            width += list(np.diff(edges))
        gaps = np.flatnonzero(np.isnan(x).any(axis=0))
        raw = cls(
            columns=x.shape[1],
            column=np.asarray(column, dtype=np.int64),
            low=np.asarray(low, dtype=np.float32),
            scale=np.reciprocal(np.asarray(width, dtype=np.float32)),
            gaps=gaps,
            centre=np.zeros(len(column) + len(gaps), dtype=np.float32),
        )
        return replace(raw, centre=raw.expand(x).mean(axis=0))

    def expand(self, x: Floats) -> Floats:
        """The pieces and indicators of each row, centred: float32 of (rows, len(self.centre))."""
        pieces = np.clip((x[:, self.column] - self.low) * self.scale, 0, 1)
        return np.hstack([np.nan_to_num(pieces, nan=0.0), np.isnan(x[:, self.gaps])]).astype(np.float32) - self.centre
