"""The models that are asked together about one kind of opportunity, and what comes of it when some of them fail."""

from collections.abc import Mapping, Sequence
from math import isfinite
from time import monotonic, perf_counter
from typing import Any

import numpy as np

from features.packed.reader import Reader, Vectors
from features.store import Online, StoreUnavailable
from serving.decisions.metrics import FAULTS
from serving.decisions.predict import campaign_features
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.predict.predictor import CUSTOMER, Ask, Predictor
from serving.decisions.records import DecisionKind, Opportunity, Predictions, State

#: After a failure the online store is not asked for so long: not every decision waits for one that is away.
PAUSE_S = 0.2


class Features:
    """Features from the online store, with a pause after it failed."""

    def __init__(self, online: Online) -> None:
        self._online = online
        self._away_until = 0.0

    def read(self, service: str, entities: Sequence[str]) -> tuple[Reader, Vectors]:
        """A service's features of these customers or campaigns. Raises `StoreUnavailable`."""
        if monotonic() < self._away_until:
            raise StoreUnavailable("the online store did not answer a moment ago")
        try:
            return self._online.vectors(service, entities)
        except StoreUnavailable:
            self._away_until = monotonic() + PAUSE_S
            raise


class Predictors:
    """Predictors for one kind of opportunity. Never changed: other models are another predictors.

    Attributes:
        versions: of each family that is asked.
    """

    def __init__(self, asked: DecisionKind, predictors: Sequence[Predictor]) -> None:
        self.asked = asked
        self._predictors = _in_order([one for one in predictors if _answers(one, asked)])
        self._columns = Columns(column for one in self._predictors for column in one.columns.items())
        self._services = sorted({(one.service, one.entity) for one in self._predictors if one.service is not None})
        self._asks = [(one, one.bound(self._columns)) for one in self._predictors]
        self._places: dict[Reader, Any] = {}
        self.versions = {one.family: one.version for one in self._predictors}

    def predict(
        self, opportunities: Sequence[Opportunity], states: Sequence[State], features: Features
    ) -> list[Predictions]:
        """What the models say of each. A model or store that fails leaves its answers out, and a fault that says so."""
        begun = perf_counter()
        matrix = FeatureMatrix(self._columns, len(opportunities))
        self._look_up(matrix, opportunities, features)
        matrix.say(opportunities)
        campaign_features.insist(matrix, states)
        campaign_features.estimate(matrix, opportunities, states)
        said: list[dict[str, Any]] = [{} for _ in opportunities]
        for one, ask in self._asks:
            for name, values in self._ask(one, ask, matrix).items():
                for row, value in enumerate(values.tolist()):
                    if isfinite(value):
                        said[row][name] = value
                        matrix.tell(row, name, value)
                    else:
                        _unsaid(one, name, matrix.faults[row])
        bought = campaign_features.purchases(matrix) if self.asked == "customer" else [None] * len(opportunities)
        zones = matrix.texts.get("zone") or [None] * len(opportunities)
        took_ms = 1000 * (perf_counter() - begun)
        return [
            Predictions(
                **values, versions=self.versions, faults=tuple(faults), took_ms=took_ms, purchases=one, zone=zone
            )
            for values, faults, one, zone in zip(said, matrix.faults, bought, zones, strict=True)
        ]

    def _look_up(self, matrix: FeatureMatrix, opportunities: Sequence[Opportunity], features: Features) -> None:
        for service, key in self._services:
            rows = [row for row, one in enumerate(opportunities) if getattr(one, key) is not None]
            if not rows:
                continue
            entities = [str(getattr(opportunities[row], key)) for row in rows]
            try:
                reader, found = _read(features, service, entities)
            except StoreUnavailable as away:
                FAULTS["features"].inc()
                for row in rows:
                    matrix.faults[row].append(str(away))
                continue
            self._fill(matrix, rows, reader, found)
            if self.asked == "customer":  # in an auction somebody new is nothing strange
                for row, customer, there in zip(rows, entities, found.known.tolist(), strict=True):
                    if not there:
                        matrix.faults[row].append(f"the online store has no customer '{customer}'")

    def _fill(self, matrix: FeatureMatrix, rows: Sequence[int], reader: Reader, found: Vectors) -> None:
        if reader not in self._places:  # names are looked for once for each publication
            floats = self._columns.floats
            pairs = [(floats[name], place) for place, name in enumerate(reader.columns) if name in floats]
            self._places = {**self._places, reader: np.array(pairs, dtype=np.intp).reshape(-1, 2).T}
        to, source = self._places[reader]
        matrix.numbers[np.asarray(rows)[:, None], to] = found.numbers[:, source]
        for name in matrix.texts.keys() & found.texts.keys():
            for row, value in zip(rows, found.texts[name], strict=True):
                matrix.texts[name][row] = value

    def _ask(self, one: Predictor, ask: Ask, matrix: FeatureMatrix) -> Mapping[str, Any]:
        """A predictor's answers; a line that breaks it breaks none of the lines beside it."""
        try:
            return ask(matrix)
        except Exception as broken:
            if len(matrix.numbers) > 1:
                alone = [self._ask(one, ask, line) for line in matrix.lines()]
                return {name: np.concatenate([said[name] for said in alone]) for name in one.says}
            FAULTS["model"].inc()
            matrix.faults[0].append(f"{one.family} {one.version} failed: {type(broken).__name__}: {broken}"[:300])
            return {name: np.array([np.nan]) for name in one.says}


def _unsaid(one: Predictor, name: str, faults: list[str]) -> None:
    """Note that a model said no number, unless it is noted that it failed altogether."""
    if not any(fault.startswith(f"{one.family} {one.version} failed") for fault in faults):
        FAULTS["model"].inc()
        faults.append(f"{one.family} {one.version}: {name} is not a finite number")


def _read(features: Features, service: str, entities: Sequence[str]) -> tuple[Reader, Vectors]:
    """Features of these, each read once: a batch may be of one campaign."""
    distinct = {entity: place for place, entity in enumerate(dict.fromkeys(entities))}
    reader, found = features.read(service, list(distinct))
    if len(distinct) == len(entities):
        return reader, found
    places = [distinct[entity] for entity in entities]
    texts = {name: [values[place] for place in places] for name, values in found.texts.items()}
    return reader, Vectors(found.numbers[places], texts, found.known[places])


def _answers(one: Predictor, asked: DecisionKind) -> bool:
    """A look at a campaign asks no model; customers are asked about by those who speak of customers."""
    return bool(one.says & CUSTOMER) if asked == "customer" else asked == "bid" and bool(one.says - CUSTOMER)


def _in_order(predictors: Sequence[Predictor]) -> list[Predictor]:
    """Those who read what others say come after them."""
    waiting, ordered = sorted(predictors, key=lambda one: one.family), list[Predictor]()
    while waiting:
        said = {name for one in waiting for name in one.says}
        free = [one for one in waiting if not set(one.columns) & (said - one.says)] or waiting
        ordered += free
        waiting = [one for one in waiting if one not in free]
    return ordered
