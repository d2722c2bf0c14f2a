"""Fits the classifier: a head and a scope for each task."""

from pathlib import Path

import pandas as pd

from models.nlp.examples import LABEL, OUT_OF_SCOPE
from models.nlp.features import features
from models.nlp.head import LogisticHead
from models.nlp.model import Task, TextClassifier, shares, vectors
from models.nlp.params import NlpParams
from models.nlp.scope import Scope


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> TextClassifier:
    """Fit every task of `train`, the largest first."""
    sizes = train["task"].value_counts()
    return TextClassifier(
        {
            str(task): fit_task(train[train["task"] == task], valid[valid["task"] == task], params.seed)
            for task in sorted(sizes.index, key=lambda name: (-sizes[name], name))
        }
    )


def fit_task(train: pd.DataFrame, valid: pd.DataFrame, seed: int) -> Task:
    """Fit one task."""
    known, tuning = (rows[rows[LABEL] != OUT_OF_SCOPE] for rows in (train, valid))
    outside = pd.concat([train, valid]).loc[lambda rows: rows[LABEL] == OUT_OF_SCOPE]
    x, labels = features(known["text"].tolist()), known[LABEL].tolist()
    head = LogisticHead.fit(x, labels, features(tuning["text"].tolist()), tuning[LABEL].tolist(), seed)
    scope = Scope.fit(vectors(x), labels, vectors(features(outside["text"].tolist())), seed)
    return Task(head, shares(labels, head.labels), scope)
