"""Which of two headlines of one A/B test was clicked more, on Upworthy's tests (Matias et al., "The Upworthy Research
Archive", 2021): 15,432 variants in 3,427 tests.

Whole stories are held out: tests with a headline or a picture in common, or with headlines that all but agree, are in
one fold, as stories were tested again. Pairs share test and picture. Folds by test alone flatter all that is compared
here, by about .01.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix, hstack
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from features.settings import Settings
from models.evaluation import metrics
from models.text.effects import fit
from models.text.embedding import embed
from models.text.surface import surface

DATA = Path(__file__).parents[2].parent / "shared/data/upworthy/upworthy_dev.parquet"
FOLDS, SEED, SAMPLES = 5, 0, 1000
#: Standard normal quantile of a two-sided test at 5%.
SIGNIFICANT = 1.96
#: Cosine from which two headlines tell one story.
SAME = 0.85
BASELINES = ("tfidf", "minilm", "surface", "logistic")
NAMES = ("pairs_significant", "pairs_all", "ece", *(f"pairs_significant.{name}" for name in BASELINES))

Array = npt.NDArray[np.float64]


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Accuracies with intervals by story; the baseline is a logistic regression on all that the others read."""
    if not DATA.is_file():
        yield from ({"name": f"creative.upworthy.{name}", "absent": f"{DATA.name} is not there"} for name in NAMES)
        return
    shown = pd.read_parquet(DATA)
    shown["story"] = stories(shown)
    every = np.unique(shown["story"])
    shown["fold"] = (np.random.default_rng(SEED).permutation(len(every)) % FOLDS)[shown["story"]]
    pairs = _pairs(shown)
    chance, sure = _told(shown, pairs)
    others = _baselines(pairs, sorted(set(shown["headline"])))
    significant = (pairs["z"].abs() > SIGNIFICANT).to_numpy()
    first = (pairs["z"] > 0).to_numpy()
    right = {name: (score > 0) == first for name, score in others.items()}
    told = {"seed": SEED, "data_hash": hashlib.sha256(DATA.read_bytes()).hexdigest()}
    parts = {"significant": significant, "all": np.full(len(pairs), True)}
    goals = {"significant": ">= .72", "all": ">= .61"}
    for name, part in parts.items():
        yield {
            "name": f"creative.upworthy.pairs_{name}",
            **_share(((chance > 0.5) == first)[part], pairs["story"][part]),
            "baseline": float(right["logistic"][part].mean()),
            "goal": goals[name],
            "unit": f"share of {part.sum()} pairs of headlines, baseline a logistic regression; bootstrap by story",
        } | told
    for name in BASELINES:
        yield {
            "name": f"creative.upworthy.pairs_significant.{name}",
            **_share(right[name][significant], pairs["story"][significant]),
            "unit": "share of the same pairs; bootstrap by story",
        } | told
    yield {
        "name": "creative.upworthy.ece",
        "value": _error(sure[significant], first[significant]),
        "goal": "<= .03",
        "unit": "of the probability that the headline ahead won its significant pair, ten bins of equal mass",
    } | told


def stories(shown: pd.DataFrame) -> npt.NDArray[np.intp]:
    """The story of each variant."""
    headlines = shown["headline"].astype("category")
    vectors = embed(headlines.cat.categories.tolist())
    left, right = np.nonzero(np.triu(vectors @ vectors.T > SAME))
    tests = shown["clickability_test_id"]
    test, picture = (
        one.astype("category").cat.codes.to_numpy(dtype=np.intp)
        for one in (tests, shown["eyecatcher_id"].fillna(tests))
    )
    picture = picture + test.max() + 1
    at = int(picture.max()) + 1
    source = np.concatenate([test, test, left + at])
    target = np.concatenate([picture, headlines.cat.codes.to_numpy() + at, right + at])
    size = at + len(vectors)
    _, member = connected_components(coo_matrix((np.ones(len(source)), (source, target)), shape=(size, size)))
    return np.unique(member[test], return_inverse=True)[1]


def _pairs(shown: pd.DataFrame) -> pd.DataFrame:
    """Variants of a test with one picture and two headlines, one of which won; `z` of the first's rate above the
    second's."""
    keys = ["clickability_test_id", "eyecatcher_id", "story", "fold"]
    one = shown.reset_index()[[*keys, "index", "headline", "impressions", "clicks"]]
    both = one.merge(one, on=keys)
    both = both[(both["index_x"] < both["index_y"]) & (both["headline_x"] != both["headline_y"])]
    first, second = (both[f"clicks_{side}"] / both[f"impressions_{side}"] for side in "xy")
    both["apart"] = first - second
    both = both[both["apart"] != 0].reset_index(drop=True)
    pooled = (both["clicks_x"] + both["clicks_y"]) / (both["impressions_x"] + both["impressions_y"])
    both["noise"] = (1 / both["impressions_x"] + 1 / both["impressions_y"]) / (pooled * (1 - pooled))
    return both.assign(z=both["apart"] / (np.sqrt(both["noise"]) * pooled * (1 - pooled)))


def _told(shown: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Array, Array]:
    """Probabilities that the first headline is better; and that it won, given that the difference was significant."""
    mean, deviation = np.zeros(len(pairs)), np.zeros(len(pairs))
    day = shown["test_week"] // 100 * 365.25 + shown["test_week"] % 100 * 7
    for fold in range(FOLDS):
        out, asked = shown["fold"] == fold, (pairs["fold"] == fold).to_numpy()
        seen = shown[~out]
        effects = fit(
            seen["headline"].tolist(),
            seen["clickability_test_id"].tolist(),
            seen["impressions"],
            seen["clicks"],
            pictures=seen["eyecatcher_id"].tolist(),
            days=day[~out].to_numpy(),
            seed=SEED,
        )
        first, second = (pairs.loc[asked, name].tolist() for name in ("headline_x", "headline_y"))
        mean[asked], deviation[asked] = effects.difference(first, second)
    noise = np.sqrt(pairs["noise"].to_numpy())
    seen_deviation = np.hypot(deviation, noise)
    up, down = (ndtr((sign * mean - SIGNIFICANT * noise) / seen_deviation) for sign in (1, -1))
    return ndtr(mean / deviation), up / (up + down)


def _baselines(pairs: pd.DataFrame, headlines: list[str]) -> dict[str, Array]:
    """Scores of the first headline above the second, by logistic regressions on differences of significant pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    place = {headline: at for at, headline in enumerate(headlines)}
    left, right = (pairs[name].map(place).to_numpy() for name in ("headline_x", "headline_y"))
    meaning, counted = csr_matrix(embed(headlines)), csr_matrix(StandardScaler().fit_transform(surface(headlines)))
    scores = {name: np.zeros(len(pairs)) for name in BASELINES}
    for fold in range(FOLDS):
        asked = (pairs["fold"] == fold).to_numpy()
        learnt = ~asked & (pairs["z"].abs() > SIGNIFICANT).to_numpy()
        known = sorted({*pairs["headline_x"][learnt], *pairs["headline_y"][learnt]})
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(known).transform(headlines)
        read = {"tfidf": words, "minilm": meaning, "surface": counted, "logistic": hstack([words, meaning, counted])}
        for name, matrix in read.items():
            rows = csr_matrix(matrix)
            model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=300)
            model.fit(rows[left[learnt]] - rows[right[learnt]], pairs["z"][learnt] > 0)
            worth = rows @ model.coef_[0]
            scores[name][asked] = (worth[left] - worth[right])[asked]
    return scores


def _share(right: npt.NDArray[np.bool_], stories: "pd.Series[int]") -> dict[str, float]:
    """The share, and its 95% interval over stories drawn with replacement."""
    by = pd.DataFrame({"right": right, "story": stories.to_numpy()}).groupby("story")["right"].agg(["sum", "size"])
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(by), (SAMPLES, len(by)))
    sums, sizes = (by[name].to_numpy()[drawn].sum(axis=1) for name in ("sum", "size"))
    low, high = np.quantile(sums / sizes, [0.025, 0.975])
    return {"value": float(right.mean()), "low": float(low), "high": float(high)}


def _error(chance: Array, first: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error of the probability of whichever is ahead: no order of a pair means anything."""
    ahead = chance > 0.5
    truth = pd.DataFrame({"won": (ahead == first).astype(float)})
    return metrics.ece("won", "probability").measure(
        truth, pd.DataFrame({"probability": np.maximum(chance, 1 - chance)})
    )
