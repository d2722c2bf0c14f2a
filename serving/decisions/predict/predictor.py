"""One model that is asked in process, and what it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Protocol

import numpy as np
import pandas as pd

from features.transforms import CUSTOMER as CUSTOMER_ENTITY
from features.views import SERVICES
from models.bundle import Bundle
from models.vectors import Floats, Picker, Vectorized
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix, kind
from serving.decisions.records import Predictions

#: What a model may say of an opportunity: an answer counts if it is named like one of these.
SAID = frozenset(field.name for field in fields(Predictions)) - {"versions", "faults", "took_ms", "purchases"}
CUSTOMER = frozenset({"churn_probability", "value"})


#: An answer a line of a matrix, for each field that a predictor says. May raise whatever a model raises.
Ask = Callable[[FeatureMatrix], Mapping[str, Floats]]


class Predictor(Protocol):
    """A model in process.

    Attributes:
        columns: what it reads, with dtypes.
        says: which of the fields of `Predictions`.
        service: the FeatureService it reads; None: it reads only what callers and other models say.
        entity: the key that the service's features are of, a field of `Opportunity`.
    """

    family: str
    version: str
    columns: Mapping[str, str]
    says: frozenset[str]
    service: str | None
    entity: str

    def bound(self, columns: Columns) -> Ask:
        """How it is asked by sheets of these columns."""


def reads(bundle: Bundle) -> tuple[str | None, str]:
    """The FeatureService of a bundle, None where there is none, and the key that its features are of."""
    name = bundle.manifest.feature_service
    return (name, SERVICES[name].entity.key) if name in SERVICES else (None, CUSTOMER_ENTITY.key)


class BundlePredictor:
    """The model of a verified bundle: by float vectors where it takes them, else by a frame."""

    def __init__(self, bundle: Bundle, version: str) -> None:
        about = bundle.manifest
        self.family, self.version = about.family, version
        self.columns: Mapping[str, str] = about.columns
        self.service, self.entity = reads(bundle)
        self._model = bundle.model
        self.says = SAID & set(self._model.predict(bundle.reference()[list(about.columns)].head(1)))

    def bound(self, columns: Columns) -> Ask:
        if not isinstance(self._model, Vectorized):
            return lambda matrix: self._said(self._model.predict(self._frame(matrix)))
        model, picker = self._model, Picker(self._model.encoder, list(columns.floats), columns.texts)
        return lambda matrix: self._said(model.answer(picker.encode(matrix.numbers, matrix.texts)))

    def _said(self, answers: Any) -> dict[str, Floats]:
        return {name: np.asarray(answers[name], dtype=np.float64) for name in self.says}

    def _frame(self, matrix: FeatureMatrix) -> pd.DataFrame:
        return pd.DataFrame({name: self._column(matrix, name, dtype) for name, dtype in self.columns.items()})

    def _column(self, matrix: FeatureMatrix, name: str, dtype: str) -> Any:
        if kind(dtype) == "text":
            return pd.Series(matrix.texts[name], dtype=object)
        values = matrix.numbers[:, matrix.columns.floats[name]]
        if kind(dtype) == "number":
            return values
        return pd.Series([None if np.isnan(value) else bool(value) for value in values], dtype=object)
