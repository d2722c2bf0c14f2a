"""A model loaded in this process."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from features.views import SERVICES
from models.bundle import Bundle
from models.vectors import Columnar, Floats, Picker, Selective, Vectorized
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix, kind

#: A function to the model's answers, arrays of (rows,) by its own names. May raise any exception.
Ask = Callable[[FeatureMatrix], Any]


class Predictor(Protocol):
    """A loaded model.

    Attributes:
        columns: its inputs, with dtypes; `vector` for those that are lists of numbers.
        says: names of its answers.
        service: its FeatureService; None where its inputs come from callers and other models only.
    """

    family: str
    version: str
    columns: Mapping[str, str]
    says: frozenset[str]
    service: str | None

    def bound(self, columns: Columns, answers: Collection[str]) -> Ask:
        """A prediction function for matrices with these columns, of these answers at least."""


class BundlePredictor:
    """The model of a verified bundle; predicts from columns or float vectors where it can, else from a frame."""

    def __init__(self, bundle: Bundle, version: str) -> None:
        about, self._model = bundle.manifest, bundle.model
        self.family, self.version = about.family, version
        vectors = {name: "vector" for name, one in about.inputs.items() if one == "vector"}
        self.columns: Mapping[str, str] = {**about.columns, **vectors}
        self.service = about.feature_service if about.feature_service in SERVICES else None
        # A first prediction loads what the model reads texts by, and the texts of its time, so that no request waits.
        said = self._model.predict(bundle.reference()[list(about.columns)])
        self.says = frozenset(map(str, said))
        if isinstance(self._model, Columnar):
            self.columns = {**dict.fromkeys(self._model.beside, "float64"), **self.columns}
            self.says = self._model.says

    def bound(self, columns: Columns, answers: Collection[str]) -> Ask:
        model = self._model.only(answers) if isinstance(self._model, Selective) else self._model
        if isinstance(model, Columnar):
            return lambda matrix: model.answer_columns(matrix.column, matrix.texts)
        if isinstance(model, Vectorized):
            picker = Picker(model.encoder, list(columns.floats), columns.texts)
            return lambda matrix: model.answer(picker.encode(matrix.numbers, matrix.texts))
        return lambda matrix: model.predict(self._frame(matrix))

    def _frame(self, matrix: FeatureMatrix) -> pd.DataFrame:
        return pd.DataFrame({name: self._column(matrix, name, dtype) for name, dtype in self.columns.items()})

    def _column(self, matrix: FeatureMatrix, name: str, dtype: str) -> Any:
        if kind(dtype) in ("text", "vector"):
            return pd.Series({**matrix.texts, **matrix.vectors}[name], dtype=object)
        values: Floats = matrix.numbers[:, matrix.columns.floats[name]]
        if kind(dtype) == "number":
            return values
        return pd.Series([None if np.isnan(value) else bool(value) for value in values], dtype=object)
