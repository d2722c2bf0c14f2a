"""Predicts with all models of one kind of decision, and isolates their failures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np

from features.packed.reader import SnapshotReader, Vectors
from features.store import OnlineStoreUnavailable
from serving.decisions.kinds.kind import Kind
from serving.decisions.metrics import FAULTS
from serving.decisions.predict import campaign_features
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.predict.features import AskedFeatures, Features, Reads
from serving.decisions.predict.predictor import Ask, Predictor
from serving.decisions.records import Opportunity, Predictions, State, Value


class Predictors:
    """Immutable.

    Args:
        active: serving models by family; unneeded ones are ignored.

    Attributes:
        versions: version of each used family.
    """

    def __init__(self, kind: Kind, active: Mapping[str, Predictor]) -> None:
        self.kind = kind
        #: By family: the kind's names and the model's names of the answers.
        named: dict[str, dict[str, str]] = {}
        for name, need in kind.needs.items():
            if need.family in active and (not need.optional or need.answer in active[need.family].says):
                named.setdefault(need.family, {})[name] = need.answer
        asked = _in_order([active[family] for family in named], named)
        self._columns = Columns(column for one in asked for column in one.columns.items())
        self._asks = [(one, one.bound(self._columns, named[one.family].values()), named[one.family]) for one in asked]
        lookups = {(active[need.family].service, need.entity) for need in kind.needs.values() if need.family in active}
        self._lookups = sorted((service, entity) for service, entity in lookups if service is not None)
        self._places: dict[SnapshotReader, Any] = {}
        self.versions = {one.family: one.version for one in asked}

    @property
    def learning(self) -> str:
        """The version that evidence is kept for; empty where nothing is learnt, or by all versions together."""
        return self.kind.evidence_of(self.versions)

    def ask(self, opportunities: Sequence[Opportunity], features: Features) -> Reads:
        """Ask now for what `predict` will read, so that other work is done meanwhile."""
        if self.kind.candidates is not None:  # read by candidate, and candidates are made once
            return features
        asked = AskedFeatures()
        for service, entity in self._lookups:
            rows, entities = _entities(opportunities, entity)
            if rows:
                asked.ask(features, service, entities)
        return asked

    def predict(
        self, opportunities: Sequence[Opportunity], states: Sequence[State], features: Reads
    ) -> list[Predictions]:
        """Predictions of each opportunity. A failed model or store is a fault, and its answers are missing."""
        if self.kind.candidates is None:
            said, matrix, took_ms = self._predicted(opportunities, states, features)
            rows = zip(said, matrix.read(), matrix.faults, strict=True)
            return [Predictions(one, read, self.versions, tuple(faults), took_ms) for one, read, faults in rows]
        asked = [self.kind.candidates(one) for one in opportunities]
        known = [state for candidates, state in zip(asked, states, strict=True) for _ in candidates]
        said, matrix, took_ms = self._predicted([row for candidates in asked for row in candidates], known, features)
        places = (slice(*ends) for ends in pairwise(accumulate(map(len, asked), initial=0)))
        return [self._together(one, here, said, matrix, took_ms) for one, here in zip(asked, places, strict=True)]

    def _predicted(
        self, opportunities: Sequence[Opportunity], states: Sequence[State], features: Reads
    ) -> tuple[list[dict[str, float]], FeatureMatrix, float]:
        """Answers of each row, what they were made from, and the milliseconds that they took."""
        begun = perf_counter()
        matrix = FeatureMatrix(self._columns, len(opportunities))
        self._look_up(matrix, opportunities, features)
        matrix.say(opportunities)
        campaign_features.insist(matrix, states)
        campaign_features.estimate(matrix, opportunities, states)
        said: list[dict[str, float]] = [{} for _ in opportunities]
        for one, ask, named in self._asks:
            for name, values in self._answers(one, ask, named, matrix).items():
                matrix.know(name, values)
                for row, value in enumerate(values.tolist()):
                    if isfinite(value):
                        said[row][name] = value
                    else:
                        _unsaid(one, name, matrix.faults[row])
        return said, matrix, 1000 * (perf_counter() - begun)

    def _together(
        self,
        candidates: Sequence[Opportunity],
        places: slice,
        said: Sequence[Mapping[str, float]],
        matrix: FeatureMatrix,
        took_ms: float,
    ) -> Predictions:
        """Predictions of one decision from those of its candidates, whose rows are at `places`."""
        names = [one.creative_id or "" for one in candidates]
        faults = dict.fromkeys(fault for row in matrix.faults[places] for fault in row)
        rows = dict(zip(names, range(places.start, places.stop), strict=True))
        return Predictions(
            versions=self.versions,
            faults=tuple(faults),
            took_ms=took_ms,
            candidates=dict(zip(names, said[places], strict=True)),
            inputs=ReadRows(matrix, rows),
        )

    def _look_up(self, matrix: FeatureMatrix, opportunities: Sequence[Opportunity], features: Reads) -> None:
        for service, entity in self._lookups:
            rows, entities = _entities(opportunities, entity)
            if not rows:
                continue
            try:
                reader, found = features.read(service, entities)
            except OnlineStoreUnavailable as away:
                FAULTS["features"].inc()
                for row in rows:
                    matrix.faults[row].append(str(away))
                continue
            self._fill(matrix, rows, reader, found)
            if entity in self.kind.known:
                for row, name, there in zip(rows, entities, found.known.tolist(), strict=True):
                    if not there:
                        matrix.faults[row].append(f"{entity.removesuffix('_id')} '{name}' is not in the online store")

    def _fill(self, matrix: FeatureMatrix, rows: Sequence[int], reader: SnapshotReader, found: Vectors) -> None:
        places = self._places.get(reader)
        if places is None:  # resolve names once per publication
            floats = self._columns.floats
            pairs = [(floats[name], place) for place, name in enumerate(reader.columns) if name in floats]
            places = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
            self._places = {**self._places, reader: places}
        to, source = places
        matrix.numbers[np.asarray(rows)[:, None], to] = found.numbers[:, source]
        _copy(found.texts, matrix.texts, rows)
        _copy(found.vectors, matrix.vectors, rows)

    def _answers(self, one: Predictor, ask: Ask, named: Mapping[str, str], matrix: FeatureMatrix) -> Mapping[str, Any]:
        """A model's answers by the kind's names; a row that fails does not affect the others."""
        try:
            said = ask(matrix)
            return {name: np.asarray(said[answer], dtype=np.float64) for name, answer in named.items()}
        except Exception as broken:
            if len(matrix.faults) > 1:
                alone = [self._answers(one, ask, named, line) for line in matrix.lines()]
                return {name: np.concatenate([said[name] for said in alone]) for name in named}
            FAULTS["model"].inc()
            matrix.faults[0].append(f"{one.family} {one.version} failed: {type(broken).__name__}: {broken}"[:300])
            return {name: np.array([np.nan]) for name in named}


@dataclass(frozen=True)
class ReadRows(Mapping[str, Mapping[str, Value]]):
    """The features read of each candidate: made where they are asked for, which they are of the chosen one alone."""

    matrix: FeatureMatrix
    rows: Mapping[str, int]

    def __getitem__(self, candidate: str) -> Mapping[str, Value]:
        return self.matrix.line(self.rows[candidate]).read()[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _entities(opportunities: Sequence[Opportunity], entity: str) -> tuple[list[int], list[str]]:
    """The opportunities with this entity, and its ids."""
    ids = [getattr(one, entity, None) for one in opportunities]
    rows = [row for row, found in enumerate(ids) if found is not None]
    return rows, [str(ids[row]) for row in rows]


def _copy(found: Mapping[str, Sequence[Any]], to: dict[str, list[Any]], rows: Sequence[int]) -> None:
    """The values found of those columns that models read, into their rows."""
    for name in to.keys() & found.keys():
        for row, value in zip(rows, found[name], strict=True):
            to[name][row] = value


def _unsaid(one: Predictor, name: str, faults: list[str]) -> None:
    """Record a fault where an answer is missing or not finite, unless the whole model failed."""
    if not any(fault.startswith(f"{one.family} {one.version} failed") for fault in faults):
        FAULTS["model"].inc()
        faults.append(f"{one.family} {one.version}: {name} is not a finite number")


def _in_order(asked: Sequence[Predictor], named: Mapping[str, Mapping[str, str]]) -> list[Predictor]:
    """Models ordered so that those whose answers are inputs of others come first."""
    waiting, ordered = sorted(asked, key=lambda one: one.family), list[Predictor]()
    while waiting:
        said = {name: one.family for one in waiting for name in named[one.family]}
        free = [one for one in waiting if all(said.get(name, one.family) == one.family for name in one.columns)]
        ordered += free or waiting
        waiting = [one for one in waiting if one not in (free or waiting)]
    return ordered
