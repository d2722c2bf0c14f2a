"""A seventh family, as anyone would add it: who will buy next, by a logistic regression in a few lines of numpy."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features.examples import Window
from models.churn.examples import churn_examples
from models.evaluation import gates, metrics
from models.family import Family, FamilyParams
from models.tabular import Encoder, Matrix, feature_columns

ENTITY, LABEL = "customer_id", "churned"


class ToyParams(FamilyParams):
    """`penalty` is the ridge on the weights."""

    window: Window
    penalty: float
    steps: int


@dataclass(frozen=True)
class ToyModel:
    """Standardised features, weights, and a sigmoid."""

    encoder: Encoder
    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    def _terms(self, rows: pd.DataFrame) -> np.ndarray:
        matrix = (self.encoder.encode(rows) - self.centre) / self.scale
        return np.nan_to_num(np.column_stack([matrix, np.ones(len(rows))])) * self.weights

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"probability": 1 / (1 + np.exp(-self._terms(rows).sum(axis=1)))}, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        by_column = pd.DataFrame(self._terms(rows)[:, :-1]).T.groupby(list(self.encoder.origins)).sum().T
        drivers = [
            [{"feature": name, "effect": float(row[name])} for name in row.abs().sort_values(ascending=False).index[:3]]
            for _, row in by_column.iterrows()
        ]
        return pd.DataFrame({"top_drivers": drivers}, index=rows.index)

    def save(self, folder: Path) -> None:
        numbers = {name: getattr(self, name).tolist() for name in ("centre", "scale", "weights")}
        (folder / "toy.json").write_text(json.dumps({"encoder": self.encoder.to_dict(), **numbers}))


def load(folder: Path) -> ToyModel:
    saved = json.loads((folder / "toy.json").read_text())
    encoder = Encoder.from_dict(saved.pop("encoder"))
    return ToyModel(encoder, **{name: np.array(values) for name, values in saved.items()})


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: ToyParams, checkpoint: Path) -> ToyModel:
    return _fit(train, feature_columns(train, ENTITY, [LABEL]), params, checkpoint)


def recency(train: pd.DataFrame, valid: pd.DataFrame, params: ToyParams, checkpoint: Path) -> ToyModel:
    """The naive baseline: the same model on recency alone."""
    return _fit(train, ["recency_days"], params, checkpoint)


def _fit(train: pd.DataFrame, columns: list[str], params: ToyParams, checkpoint: Path) -> ToyModel:
    encoder = Encoder.fit(train[columns])
    matrix = encoder.encode(train)
    centre, scale = np.nan_to_num(np.nanmean(matrix, axis=0)), np.nanstd(matrix, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    terms = np.nan_to_num(np.column_stack([(matrix - centre) / scale, np.ones(len(train))]))
    return ToyModel(encoder, centre, scale, _weights(terms, train[LABEL].to_numpy(dtype=float), params, checkpoint))


def _weights(terms: Matrix, label: np.ndarray, params: ToyParams, checkpoint: Path) -> np.ndarray:
    """Newton's method, a step at a time, each kept in the checkpoint."""
    kept = checkpoint / "weights.json"
    taken, weights = json.loads(kept.read_text()) if kept.exists() else (0, [0.0] * terms.shape[1])
    weights = np.array(weights)
    for step in range(taken, params.steps):
        chance = 1 / (1 + np.exp(-terms @ weights))
        slope = terms.T @ (chance - label) + params.penalty * weights
        bend = (terms * (chance * (1 - chance))[:, None]).T @ terms + params.penalty * np.eye(len(weights))
        weights = weights - np.linalg.solve(bend, slope)
        new = kept.with_suffix(".new")
        new.write_text(json.dumps([step + 1, weights.tolist()]))
        new.replace(kept)
    return weights


FAMILY = Family(
    name="toy",
    entity=ENTITY,
    feature_service="toy_v1",
    label=(LABEL,),
    examples=churn_examples,
    params=ToyParams,
    fit=fit,
    load=load,
    baselines={"recency": recency},
    metrics=(metrics.auc(LABEL, "probability"), metrics.brier(LABEL, "probability")),
    gates=(
        gates.no_leak,
        gates.beats_naive,
        gates.not_beaten_by_baselines,
        gates.not_worse_than_champion,
        gates.calibrated(LABEL, "probability"),
        gates.fair(lambda truth: truth[LABEL] == 1, lambda answers: answers["probability"] >= 0.5),
    ),
    intended_use="Showing what a family needs.",
    limits="A made-up business.",
)
