"""Fits the classifier: tunes the encoder on all tasks, then fits a head and a scope for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from models.inputs import texts
from models.nlp.aspects import about
from models.nlp.cleaning import clean
from models.nlp.encoder import TunedEncoder
from models.nlp.examples import LABEL, OUT_OF_SCOPE
from models.nlp.features import Array, encoded, frozen, vectors
from models.nlp.head import Labels, Linear, LogisticHead
from models.nlp.model import LearntTask, TextClassifier, shares
from models.nlp.params import NlpParams
from models.nlp.scope import Scope

#: Texts that the precision of the tuned layers is chosen on.
COMPARED = 100


@dataclass(frozen=True)
class Encoded:
    """Texts of one task with one purpose: labels, features that no tuning changes, states before the tuned layers."""

    labels: Labels
    x: Array
    states: list[Array]

    @classmethod
    def of(cls, rows: pd.DataFrame, count: int) -> Self:
        said = zip(texts(rows, "text"), texts(rows, "aspect"), strict=True)
        cleaned = [about(clean(text or ""), aspect) for text, aspect in said]
        views, states = encoded(cleaned, count)
        return cls(rows[LABEL].to_numpy(dtype=str), frozen(cleaned, views), states)

    def features(self, tuned: TunedEncoder | None) -> Array:
        return self.x if tuned is None else np.hstack([self.x, tuned.of(self.states)])


@dataclass(frozen=True)
class TaskTexts:
    """The texts of one task: to learn from, to tune on, and out of its scope."""

    learnt: Encoded
    held: Encoded
    outside: Encoded

    @classmethod
    def of(cls, train: pd.DataFrame, valid: pd.DataFrame, count: int) -> Self:
        known, tuning = (rows[rows[LABEL] != OUT_OF_SCOPE] for rows in (train, valid))
        every = pd.concat([train, valid])
        outside = every[every[LABEL] == OUT_OF_SCOPE]
        return cls(*(Encoded.of(rows, count) for rows in (known, tuning, outside)))


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> TextClassifier:
    """Fit every task of `train`, the largest first."""
    sizes = train["task"].value_counts()
    count = params.layers if params.epochs else 0
    tasks = {
        str(name): TaskTexts.of(train[train["task"] == name], valid[valid["task"] == name], count)
        for name in sorted(sizes.index, key=lambda name: (-sizes[name], name))
    }
    tuned, heads = _tuned(tasks, params, checkpoint)
    fitted = {name: _fitted(held, tuned, heads.get(name), params.seed) for name, held in tasks.items()}
    return TextClassifier(fitted, tuned, params.layers)


def frozen_encoder(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> TextClassifier:
    """The same without tuning."""
    return fit(train, valid, params.model_copy(update={"epochs": 0}), checkpoint)


def _fitted(of_task: TaskTexts, tuned: TunedEncoder | None, head: Linear | None, seed: int) -> LearntTask:
    learnt, held, outside = (one.features(tuned) for one in (of_task.learnt, of_task.held, of_task.outside))
    logistic = LogisticHead.fit(of_task.learnt.x, of_task.learnt.labels, of_task.held.x, of_task.held.labels, seed)
    if head is not None:
        logistic = logistic.joined(head, held, of_task.held.labels)
    scope = Scope.fit(vectors(learnt), of_task.learnt.labels, vectors(outside), seed)
    return LearntTask(logistic, shares(of_task.learnt.labels, logistic.labels), scope)


def _tuned(
    tasks: Mapping[str, TaskTexts], params: NlpParams, checkpoint: Path
) -> tuple[TunedEncoder | None, dict[str, Linear]]:
    """The tuned layers and each task's linear head on them; none without epochs."""
    if not params.epochs:
        return None, {}
    from models.nlp.tuning.graph import graph
    from models.nlp.tuning.training import TaskExamples, tune

    examples = {}
    for name, of_task in tasks.items():
        labels, codes = np.unique(of_task.learnt.labels, return_inverse=True)
        examples[name] = TaskExamples(of_task.learnt.states, codes, len(labels))
    network = tune(examples, params, checkpoint)
    some = [one for of_task in tasks.values() for one in of_task.learnt.states[:COMPARED]]
    return TunedEncoder(graph(network.last, some)), dict(zip(tasks, network.linear(), strict=True))
