"""Fits the classifier: tunes the encoder on all tasks, then fits a head and a scope for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from models.inputs import texts
from models.logistic import Labels, Linear, LogisticHead, Recipe
from models.nlp.aspects import about
from models.nlp.cleaning import clean
from models.nlp.encoder import TunedEncoder
from models.nlp.examples import LABEL, OUT_OF_SCOPE
from models.nlp.features import EMBEDDING, Array, encoded, frozen, vectors
from models.nlp.model import LearntTask, TextClassifier, shares, tuned_logits
from models.nlp.params import NlpParams
from models.nlp.scope import Scope, SeenTexts

#: Texts that the precision of the tuned layers is chosen on.
COMPARED = 100
#: Features that are tried: all, or the sentence embedding alone.
VIEWS = (slice(None), EMBEDDING)
#: Texts of all tasks up to which those that were tuned on are learnt from too: it takes another training.
FEW = 2000


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

    def joined(self, other: Self) -> Self:
        labels = np.concatenate([self.labels, other.labels])
        return type(self)(labels, np.vstack([self.x, other.x]), self.states + other.states)


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
    """Fit every task of `train`, the largest first. Of `FEW` texts, those that were tuned on are learnt from too, once
    all is chosen."""
    sizes = train["task"].value_counts()
    count = params.layers if params.epochs else 0
    tasks = {
        str(name): TaskTexts.of(train[train["task"] == name], valid[valid["task"] == name], count)
        for name in sorted(sizes.index, key=lambda name: (-sizes[name], name))
    }
    tuned, heads = _tuned({name: one.learnt for name, one in tasks.items()}, params, checkpoint)
    chosen = {name: _fitted(one, tuned, heads.get(name), params.seed) for name, one in tasks.items()}
    fitted = {name: learnt for name, (learnt, _) in chosen.items()}
    held = sum(len(one.held.labels) for one in tasks.values())
    if held and held + sum(len(one.learnt.labels) for one in tasks.values()) <= FEW:
        every = {name: one.learnt.joined(one.held) for name, one in tasks.items()}
        tuned, heads = _tuned(every, params, checkpoint / "every")
        fitted = {
            name: _again(every[name], tuned, heads.get(name), recipe, learnt.scope, params.seed)
            for name, (learnt, recipe) in chosen.items()
        }
    return TextClassifier(fitted, tuned, params.layers)


def frozen_encoder(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> TextClassifier:
    """The same without tuning."""
    return fit(train, valid, params.model_copy(update={"epochs": 0}), checkpoint)


def _fitted(
    of_task: TaskTexts, tuned: TunedEncoder | None, head: Linear | None, seed: int
) -> tuple[LearntTask, Recipe]:
    learnt, held = of_task.learnt, of_task.held
    x, x_held, x_outside = (one.features(tuned) for one in (learnt, held, of_task.outside))
    logistic, recipe = LogisticHead.chosen((learnt.x, learnt.labels), (held.x, held.labels), VIEWS, seed)
    if head is not None:
        recipe = replace(recipe, shares=logistic.shares(head, x_held, held.labels))
        logistic = logistic.joined(head, recipe.shares)
    seen = partial(_seen, logistic)
    scope = Scope.fit(seen(x, learnt.labels), seen(x_held, held.labels), seen(x_outside, of_task.outside.labels), seed)
    return LearntTask(logistic, shares(learnt.labels, logistic.labels), scope), recipe


def _seen(head: LogisticHead, x: Array, labels: Labels) -> SeenTexts:
    return SeenTexts(vectors(x), tuned_logits(x, head), labels)


def _again(
    every: Encoded, tuned: TunedEncoder | None, head: Linear | None, recipe: Recipe, scope: Scope | None, seed: int
) -> LearntTask:
    """Fit on more texts what was chosen on fewer."""
    logistic = LogisticHead.fit(every.x, every.labels, recipe, seed)
    if head is not None:
        logistic = logistic.joined(head, recipe.shares)
    known = None if scope is None else replace(scope, known=vectors(every.features(tuned)))
    return LearntTask(logistic, shares(every.labels, logistic.labels), known)


def _tuned(
    tasks: Mapping[str, Encoded], params: NlpParams, checkpoint: Path
) -> tuple[TunedEncoder | None, dict[str, Linear]]:
    """The tuned layers and each task's linear head on them; none without epochs."""
    if not params.epochs:
        return None, {}
    from models.nlp.tuning.graph import graph
    from models.nlp.tuning.training import TaskExamples, tune

    examples = {}
    for name, learnt in tasks.items():
        labels, codes = np.unique(learnt.labels, return_inverse=True)
        examples[name] = TaskExamples(learnt.states, codes, len(labels))
    network = tune(examples, params, checkpoint)
    some = [one for learnt in tasks.values() for one in learnt.states[:COMPARED]]
    return TunedEncoder(graph(network.last, some)), dict(zip(tasks, network.linear(), strict=True))
