"""Baselines of creatives: what each has done so far, and a plain linear model of words and surface."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.creative.examples import CONTEXT
from models.creative.fit import told
from models.creative.levels import Levels, columns_of
from models.creative.outputs import CTR, EDGE, Array, Output
from models.creative.params import CreativeParams
from models.text.surface import surface


@dataclass(frozen=True)
class CreativeBaseline:
    """A baseline: a function from feature rows to the values of some outputs."""

    name: str
    expect: Callable[[pd.DataFrame], Mapping[str, Array]]
    fitted: Mapping[str, Any]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The outputs, without intervals."""
        return pd.DataFrame(dict(self.expect(rows)), index=rows.index)

    def save(self, folder: Path) -> None:
        """What was fitted, as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "baseline.json").write_text(json.dumps({"name": self.name, **self.fitted}, indent=1))


def campaign_history(
    train: pd.DataFrame, valid: pd.DataFrame, params: CreativeParams, checkpoint: Path
) -> CreativeBaseline:
    """The campaign's shrunken rate times the creative's own shrunken ratio to it (empirical Bayes)."""
    outputs = told(train, valid)
    levels = Levels.fit(pd.concat([train, valid]), outputs)

    def expect(rows: pd.DataFrame) -> Mapping[str, Array]:
        return {one.name: _history(one, levels, rows) for one in outputs}

    return CreativeBaseline("campaign_history", expect, {"levels": vars(levels)})


def _history(output: Output, levels: Levels, rows: pd.DataFrame) -> Array:
    column = columns_of(rows)
    campaigns = [one if isinstance(one, str) else None for one in rows["campaign_id"]]
    value = levels.of(output, column, campaigns) * np.nan_to_num(column(output.lift), nan=1.0)
    return np.asarray(np.clip(value, EDGE, 1 - EDGE if output.rate else None))


def tfidf_logistic(
    train: pd.DataFrame, valid: pd.DataFrame, params: CreativeParams, checkpoint: Path
) -> CreativeBaseline:
    """A logistic regression of clicks on the words of the headline, its surface, the context and the naive baseline."""
    from scipy.sparse import csr_matrix, hstack, vstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    everything = pd.concat([train, valid], ignore_index=True)
    levels = Levels.fit(everything, (CTR,))
    plain = [*CONTEXT[1:], "format"]
    everything["linked"] = CTR.link(_history(CTR, levels, everything))
    keys = ["linked", "headline", *plain]
    by = everything.groupby(keys, dropna=False, as_index=False)[["clicks", "impressions"]].sum()
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    heads = _headlines(by)
    words.fit([*heads, "none"])  # one word at least
    one_hot = OneHotEncoder(handle_unknown="ignore").fit(by[plain].astype(str))
    scaler = StandardScaler().fit(surface(heads))

    def design(rows: pd.DataFrame, linked: Array) -> Any:
        head = _headlines(rows)
        parts = [words.transform(head), csr_matrix(scaler.transform(surface(head)))]
        return hstack([*parts, one_hot.transform(rows[plain].astype(str)), csr_matrix(linked[:, None])]).tocsr()

    inputs = design(by, by["linked"].to_numpy())
    clicks, rest = by["clicks"].to_numpy(), (by["impressions"] - by["clicks"]).to_numpy()
    model = LogisticRegression(C=1.0, max_iter=300)
    both = np.append(np.ones(len(by)), np.zeros(len(by)))
    model.fit(vstack([inputs, inputs]), both, sample_weight=np.append(clicks, rest))

    def expect(rows: pd.DataFrame) -> Mapping[str, Array]:
        return {CTR.name: model.predict_proba(design(rows, CTR.link(_history(CTR, levels, rows))))[:, 1]}

    return CreativeBaseline(
        "tfidf_logistic", expect, {"weights": model.coef_.tolist(), "words": sorted(words.vocabulary_)}
    )


def _headlines(rows: pd.DataFrame) -> list[str]:
    return [one if isinstance(one, str) else "" for one in rows["headline"]]
