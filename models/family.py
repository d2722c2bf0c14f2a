"""The family contract: what a kind of model must say of itself, and nothing it must inherit.

What is served is needed; what a family is learnt and judged by is there where it makes sense.
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
from models.inputs import Kind, Matrix


class Params(BaseModel):
    """What a family learns by: its section of `params.yaml`. A family adds its own fields; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: int

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> Self:
        """From plain values, lists among them; strictly typed as JSON is, so that a tuple may be written as a list."""
        return cls.model_validate_json(json.dumps(section))


class Model(Protocol):
    """A trained model or policy: frames of raw feature rows in, frames of answers out.

    Encoding, calibration and clipping happen inside, exactly as they were scored. Rows may be customers, auctions,
    briefs or image addresses; answers may be probabilities, bids, texts or boxes.
    """

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One answer a row, on the index of `rows`. Raises `InvalidRows` naming the field that is wrong."""

    def save(self, folder: Path) -> None:
        """Write the parts `load` needs: ONNX, LightGBM text, XGBoost JSON, safetensors, JSON. Never a pickle."""


@runtime_checkable
class Explaining(Protocol):
    """A model that also says why."""

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Why, a row: on the index of `rows`, with at least `top_drivers`: `{feature, effect}`, largest first."""


class Fit(Protocol):
    """Learn from `train`, tune and calibrate on `valid`; keep progress in `checkpoint` and resume from what it holds.

    Both frames carry the feature columns, the label columns, the entity key if there is one, `event_timestamp` and
    `split`.
    """

    def __call__(self, train: pd.DataFrame, valid: pd.DataFrame, params: Any, checkpoint: Path) -> Model: ...


@dataclass(frozen=True)
class Breakdown:
    """How `adloop evaluate` tells the figures of a family apart.

    Attributes:
        by: columns of the examples; each of their values is a part.
        situations: `(test, learnt) -> frames` by name: the held-out examples, on their own index, as they would be in
            each situation that models are compared in.
        metrics: the figures of each part, sums among them.
    """

    by: tuple[str, ...]
    situations: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, pd.DataFrame]]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Family:
    """One kind of model as a record of data.

    Attributes:
        name: its name in the catalog, `params.yaml`, the registry and the endpoints.
        entity: the key its rows are joined by (`customer_id`, `campaign_id`); None where they are of no entity.
        feature_service: the Feast FeatureService it reads, offline and online; None where requests bring all features.
        label: the columns of the frame that hold the truth; none where answers are judged by themselves.
        examples: `(tables, params, as_of, cutoff) -> frame` of entity key, `event_timestamp`, `split`
            (`train`, `valid` or `test`), label and `context` columns.
        params: the model of its section of `params.yaml`.
        fit, load: make a model, and read one back from a folder that `save` wrote.
        baselines: the field's own answers by name, the strongest among them; the first is the naive one, which a
            candidate must beat beyond noise. No other may beat the candidate so. None where the field has none.
        metrics: `(truth, answers) -> float` by name; the first is the one that gates and canaries compare.
        gates: what a candidate must pass to be released.
        context: columns of the examples that are features too: what a request brings itself, beside the features of
            the service, which are known beforehand. The entity key may be one.
        kinds: what inputs and answers hold, where their dtype does not tell (`models.inputs`).
        embed: by input or answer that is text, a URI or a list of candidates, what makes vectors of a column of them
            (missing values left out): drift is measured by their distance. Without, of whether a value is missing only.
        moving: those of the context that move as time goes by where the world stays as it is, and how.
        trial: `(model, test) -> answers` on the index of `test`, a frame as `fit` is given, for a model whose answers
            depend on what came of those before; None where each row stands by itself.
        outcomes: those labels that tell what came of an example, where others only say how it is to be played; all
            labels where it is empty. No feature may give one of them away.
        update: `(champion, train, valid, params, checkpoint) -> Model`: a fit that goes on from the champion's own
            parameters; None for a family that learns all anew each time.
        chosen: `(model) -> name` of the candidate that a fitted model answers by; None for a family that has one only.
        breakdown: how `adloop evaluate` tells its figures apart; None where they are told as one.
        intended_use, limits: for the model card, in prose; a card without them is refused.
    """

    name: str
    entity: str | None
    feature_service: str | None
    label: tuple[str, ...]
    examples: Callable[..., pd.DataFrame]
    params: type[Params]
    fit: Fit
    load: Callable[[Path], Model]
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    baselines: Mapping[str, Fit] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    embed: Mapping[str, Callable[["pd.Series[Any]"], Matrix]] = field(default_factory=dict)
    moving: Mapping[str, Movement] = field(default_factory=dict)
    trial: Callable[[Any, pd.DataFrame], pd.DataFrame] | None = None
    outcomes: tuple[str, ...] = ()
    update: Callable[[Any, pd.DataFrame, pd.DataFrame, Any, Path], Model] | None = None
    chosen: Callable[[Any], str] | None = None
    breakdown: Breakdown | None = None
    intended_use: str = ""
    limits: str = ""

    @property
    def table(self) -> str | None:
        """The canonical table without which there is nobody to learn from; None where the family reads no features."""
        return None if self.feature_service is None else service_of(self.feature_service).entity.table

    @property
    def naive(self) -> str | None:
        """The name of the baseline the gates compare with; None where there is none."""
        return next(iter(self.baselines), None)

    def try_out(self, model: Model, test: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        """What `model` answers on held-out examples with these feature columns: by its trial, or row by row."""
        if self.trial is not None:
            return self.trial(model, test)
        return model.predict(test.reindex(columns=list(columns)))
