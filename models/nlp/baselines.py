"""Standard models of the field."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.nlp.cleaning import clean
from models.nlp.examples import LABEL, OUT_OF_SCOPE
from models.nlp.params import NlpParams
from models.text.sentiment import sentiment

#: Labels of sentiment by VADER's own bounds.
SIDES, BOUND = ("negative", "neutral", "positive"), 0.05


@dataclass(frozen=True)
class PlainClassifier:
    """By task a function from texts to labels and their probabilities."""

    tasks: dict[str, Callable[[list[str]], pd.DataFrame]]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`label` and `confidence`."""
        answers = pd.DataFrame({"label": "", "confidence": 0.0}, index=rows.index)
        for task, answer in self.tasks.items():
            here = (rows["task"] == task).to_numpy()
            if here.any():
                answers.loc[here] = answer([clean(text or "") for text in rows.loc[here, "text"]]).to_numpy()
        return answers.astype({"confidence": float})

    def save(self, folder: Path) -> None:
        raise NotImplementedError("a baseline is fitted where it is needed")


def tfidf_logistic(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> PlainClassifier:
    """Logistic regression on TF-IDF of words and pairs of words, the naive baseline."""
    return PlainClassifier({task: _tfidf(rows) for task, rows in _tasks(train, valid)})


def vader(train: pd.DataFrame, valid: pd.DataFrame, params: NlpParams, checkpoint: Path) -> PlainClassifier:
    """VADER where the labels are sentiments, by its authors' bounds; elsewhere the most frequent label."""
    return PlainClassifier(
        {
            task: _sides if set(SIDES).issuperset(rows[LABEL]) else _most_frequent(rows)
            for task, rows in _tasks(train, valid)
        }
    )


def _tasks(train: pd.DataFrame, valid: pd.DataFrame) -> Any:
    every = pd.concat([train, valid], ignore_index=True)
    return every[every[LABEL] != OUT_OF_SCOPE].groupby("task")


def _tfidf(rows: pd.DataFrame) -> Callable[[list[str]], pd.DataFrame]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=300, tol=1e-3)
    )
    model.fit([clean(text) for text in rows["text"]], rows[LABEL])

    def answer(texts: list[str]) -> pd.DataFrame:
        chances = model.predict_proba(texts)
        return pd.DataFrame({"label": model.classes_[chances.argmax(axis=1)], "confidence": chances.max(axis=1)})

    return answer


def _sides(texts: list[str]) -> pd.DataFrame:
    compound = sentiment(texts)[:, 0]
    side = np.where(np.abs(compound) < BOUND, 1, np.where(compound > 0, 2, 0))
    return pd.DataFrame({"label": np.array(SIDES, dtype=object)[side], "confidence": (1 + np.abs(compound)) / 2})


def _most_frequent(rows: pd.DataFrame) -> Callable[[list[str]], pd.DataFrame]:
    shares = rows[LABEL].value_counts(normalize=True)

    def answer(texts: list[str]) -> pd.DataFrame:
        return pd.DataFrame({"label": shares.index[0], "confidence": shares.iloc[0]}, index=range(len(texts)))

    return answer


BASELINES = {"tfidf_logistic": tfidf_logistic, "vader": vader}
