"""The family contract: one record describes a kind of model, without inheritance.

Fields for serving are required; fields for training and evaluation are optional.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import pandas as pd
from pydantic import BaseModel, ConfigDict

from features.movement import Movement
from features.views import service_of
from models.evaluation.gates import Gate
from models.evaluation.metrics import Metric
from models.evaluation.policy_value import LogGate
from models.inputs import Kind, Matrix


class FamilyParams(BaseModel):
    """A family's section of `params.yaml`. Families add their own fields; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: int

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> Self:
        """Parse plain values, strictly typed as JSON, so that a tuple may be written as a list."""
        return cls.model_validate_json(json.dumps(section))


class Model(Protocol):
    """A trained model or policy, from frames of raw feature rows to frames of answers.

    Encoding, calibration and clipping are part of the model. Rows may be customers, auctions, briefs or image URIs;
    answers may be probabilities, bids, texts or boxes.
    """

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One answer per row, on the index of `rows`. Raises `InvalidRows` with the invalid field."""

    def save(self, folder: Path) -> None:
        """Write the files that `load` reads: ONNX, LightGBM text, XGBoost JSON, safetensors, JSON. Never a pickle."""


@runtime_checkable
class Explaining(Protocol):
    """A model with explanations."""

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Explanations on the index of `rows`, with at least `top_drivers`: `{feature, effect}`, largest first."""


class Fit(Protocol):
    """Train on `train`, tune and calibrate on `valid`; save progress in `checkpoint` and resume from it.

    Both frames have the feature columns, the label columns, the entity key if there is one, `event_timestamp` and
    `split`.
    """

    def __call__(self, train: pd.DataFrame, valid: pd.DataFrame, params: Any, checkpoint: Path) -> Model: ...


@dataclass(frozen=True)
class Breakdown:
    """Breakdown of a family's metrics in `adloop evaluate`.

    Attributes:
        by: columns of the examples; each of their values is a part.
        situations: `(test, learnt) -> frames` by name: the held-out examples, on their own index, in each situation
            that models are compared in.
        metrics: metrics of each part; may include sums.
    """

    by: tuple[str, ...]
    situations: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, pd.DataFrame]]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Family:
    """One kind of model as a record of data.

    Attributes:
        name: its name in the catalog, `params.yaml`, the registry and the endpoints.
        entity: join key of its rows (`customer_id`, `campaign_id`); None without an entity.
        feature_service: its Feast FeatureService, offline and online; None where requests contain all features.
        label: label columns of the frame; empty where answers are judged without labels.
        examples: `(tables, params, as_of, cutoff) -> frame` of entity key, `event_timestamp`, `split`
            (`train`, `valid` or `test`), label and `context` columns.
        params: the model of its section of `params.yaml`.
        fit, load: train a model; load one from a folder that `save` wrote.
        baselines: standard models of the field by name; the candidate must be significantly better than the first, the
            naive one, and no other may be significantly better than the candidate. None without baselines.
        metrics: `(truth, answers) -> float` by name; gates and canaries compare the first.
        gates: conditions for a release.
        reads: the canonical table that examples are read from, of a family without features.
        log_gate: one more condition, on the champion's logged decisions where there are some; None for a family whose
            answers are not decided on with a propensity.
        context: columns of the examples that requests contain, in addition to the features of the service. May include
            the entity key.
        kinds: kinds of inputs and answers that their dtype does not determine (`models.inputs`).
        embed: by input or answer that is text, a URI or a list of candidates, a function from a column (without missing
            values) to vectors, whose distance measures drift. Without it only missing values are monitored.
        moving: expected movement of context columns over time.
        trial: `(model, test) -> answers` on the index of `test`, a frame as in `fit`, for a model whose answers depend
            on earlier outcomes; None where rows are independent.
        outcomes: labels that are outcomes, where others only configure a replay; empty means all labels. No feature may
            leak one of them.
        update: `(champion, train, valid, params, checkpoint) -> Model`: incremental training from the champion's
            parameters; None where every training starts anew.
        first: `(params) -> params` of the first model of a new home, a smaller one, for a family without a window. None
            where today's model is the first.
        together: rows of a request that a release replays: as many as clients ask about at once.
        chosen: `(model) -> name` of the candidate in a fitted model; None for a family with only one.
        breakdown: breakdown of its metrics in `adloop evaluate`; None without one.
        intended_use, limits: text of the model card; required.
    """

    name: str
    entity: str | None
    feature_service: str | None
    label: tuple[str, ...]
    examples: Callable[..., pd.DataFrame]
    params: type[FamilyParams]
    fit: Fit
    load: Callable[[Path], Model]
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    reads: str | None = None
    log_gate: LogGate | None = None
    baselines: Mapping[str, Fit] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    embed: Mapping[str, Callable[["pd.Series[Any]"], Matrix]] = field(default_factory=dict)
    moving: Mapping[str, Movement] = field(default_factory=dict)
    trial: Callable[[Any, pd.DataFrame], pd.DataFrame] | None = None
    outcomes: tuple[str, ...] = ()
    update: Callable[[Any, pd.DataFrame, pd.DataFrame, Any, Path], Model] | None = None
    first: Callable[[Any], FamilyParams] | None = None
    together: int = 8
    chosen: Callable[[Any], str] | None = None
    breakdown: Breakdown | None = None
    intended_use: str = ""
    limits: str = ""

    @property
    def table(self) -> str | None:
        """The canonical table that training needs; None where examples come from none."""
        return self.reads if self.feature_service is None else service_of(self.feature_service).entity.table

    @property
    def naive(self) -> str | None:
        """The name of the naive baseline; None where there is none."""
        return next(iter(self.baselines), None)

    def try_out(self, model: Model, test: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        """Answers of `model` to held-out examples with these feature columns: by its trial, or row by row."""
        if self.trial is not None:
            return self.trial(model, test)
        return model.predict(test.reindex(columns=list(columns)))
