"""What the text of a creative is worth to an audience, learnt within campaigns.

A ridge regression of the logarithm of a creative's clicks over those that its campaign's rate in the same context and
window lets expect: the level of a campaign teaches nothing about texts (LOLA, arXiv 2406.02611, found effects of texts
to vanish where they were not compared within a test).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.creative.outputs import Array
from models.text.embedding import SIZE, embed
from models.text.traits import traits

#: Penalties that are tried, in clicks; the best on held-out creatives is taken.
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
#: Folds of creatives that what a text is worth is told for without it.
FOLDS = 4
#: Components that interact with the audience, and that members read beside the worth of the text.
SHARED, READ = 8, 12
#: Variance of what a creative has of its own, in logarithms: an example weighs less than its clicks where it has many.
OWN = 0.05
#: Clicks added to both sides of a ratio, so that none is infinite.
ADDED = 2.0
#: Texts whose vectors are kept.
KEPT = 20_000

Texts = Sequence[str | None]


@dataclass(frozen=True)
class TextVectors:
    """Standardized vectors of headline and body: principal components of their embeddings, and traits of both."""

    components: Array
    center: Array
    mean: Array
    scale: Array
    kept: dict[tuple[str | None, str | None], Array] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def fit(cls, headlines: Texts, bodies: Texts, components: int) -> Self | None:
        """Fit to the distinct texts; None without any."""
        pairs = sorted({(h, b) for h, b in zip(headlines, bodies, strict=True) if h or b}, key=str)
        if not pairs:
            return None
        embedded = _embedded(pairs)
        center = embedded.mean(axis=0)
        _, _, axes = np.linalg.svd(embedded - center, full_matrices=False)
        axes = axes[: min(components, len(pairs))]
        raw = np.hstack([(embedded - center) @ axes.T, _traits(pairs)])
        scale = raw.std(axis=0)
        # Components keep their proportions, so that the penalty of a minor one is higher.
        scale[: len(axes)] = scale[: len(axes)].max()
        return cls(axes, center, raw.mean(axis=0), np.where(scale > 1e-6, scale, np.inf))

    def of(self, headlines: Texts, bodies: Texts) -> Array:
        """One row per creative; 0, the mean, for one without text."""
        pairs = list(zip(headlines, bodies, strict=True))
        unseen = [pair for pair in dict.fromkeys(pairs) if pair not in self.kept]
        if len(self.kept) + len(unseen) > KEPT:
            self.kept.clear()
            unseen = list(dict.fromkeys(pairs))
        if unseen:
            raw = np.hstack([(_embedded(unseen) - self.center) @ self.components.T, _traits(unseen)])
            found = (raw - self.mean) / self.scale
            found[[not (h or b) for h, b in unseen]] = 0
            self.kept.update(zip(unseen, found, strict=True))
        return np.array([self.kept[pair] for pair in pairs]).reshape(len(pairs), len(self.mean))

    @property
    def plain(self) -> npt.NDArray[np.intp]:
        """The columns that members read as they are: the first components, and traits."""
        count = len(self.components)
        return np.append(np.arange(min(count, READ)), np.arange(count, len(self.mean)))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What `of` needs."""
        return {"components": self.components, "center": self.center, "mean": self.mean, "scale": self.scale}


def _embedded(pairs: Sequence[tuple[str | None, str | None]]) -> Array:
    """Embeddings of headline and body beside each other; zeros for what is missing.

    In double precision, in which a text's components are the same among whatever others.
    """
    both = np.zeros((len(pairs), 2 * SIZE))
    for side in (0, 1):
        there = [place for place, pair in enumerate(pairs) if pair[side]]
        both[there, side * SIZE : (side + 1) * SIZE] = embed([pairs[place][side] or "" for place in there])
    return both


def _traits(pairs: Sequence[tuple[str | None, str | None]]) -> Array:
    """Traits of the headlines, or of bodies alone."""
    return traits([headline or body or "" for headline, body in pairs])


@dataclass(frozen=True)
class CopyModel:
    """The worth of a text: `weights` of its vector, and of its first components for each of `audiences`."""

    vectors: TextVectors
    audiences: tuple[str, ...]
    weights: Array

    def score(self, vectors: Array, audiences: Texts) -> Array:
        """Logarithm of how many times the campaign's clicks the text is expected to get from the audience."""
        return np.asarray(_design(vectors, audiences, self.audiences) @ self.weights)

    @classmethod
    def fit(cls, vectors: TextVectors, rows: pd.DataFrame, seed: int) -> tuple[Self, Array]:
        """From `rows` of creatives (see `compared`): the model, and the score of each row told without its creative."""
        audiences = tuple(sorted(rows["audience"].dropna().unique()))
        worth = vectors.of(*texts_of(rows))
        design = _design(worth, rows["audience"].tolist(), audiences)
        target, weight = rows["target"].to_numpy(), rows["weight"].to_numpy()
        fold = _folds(rows["creative_id"], seed)
        told = {penalty: _held_out(design, target, weight, fold, penalty) for penalty in PENALTIES}
        loss = {penalty: float(weight @ (target - said) ** 2) for penalty, said in told.items()}
        best = min(loss, key=lambda penalty: loss[penalty])
        return cls(vectors, audiences, _ridge(design, target, weight, best)), told[best]


def compared(frame: pd.DataFrame) -> pd.DataFrame:
    """Creatives beside the others of their campaign, by audience and window.

    Returns:
        creative_id, event_timestamp, campaign_id, audience, headline, body; `target`, the logarithm of clicks over
        those expected at the campaign's rate in the same channel, audience and window; `weight`, in clicks.
    """
    peers = ["event_timestamp", "campaign_id", "channel", "audience"]
    group = frame.groupby(peers, dropna=False)
    sums = group[["clicks", "impressions"]].transform("sum")
    expected = frame["impressions"] * sums["clicks"] / sums["impressions"]
    # What is expected of a creative that was shown alone is what it got: it tells nothing.
    other = 1 - frame["impressions"] / sums["impressions"]
    rows = frame.assign(expected=expected, apart=expected * other)
    keys = ["creative_id", "event_timestamp", "campaign_id", "audience", "headline", "body"]
    found = rows.groupby(keys, dropna=False, as_index=False)[["clicks", "expected", "apart"]].sum()
    found = found[found["apart"] > 0]
    target = np.log((found["clicks"] + ADDED) / (found["expected"] + ADDED))
    return found.assign(target=target, weight=found["apart"] / (1 + OWN * found["apart"])).reset_index(drop=True)


def texts_of(rows: pd.DataFrame) -> tuple[list[str | None], list[str | None]]:
    """Headlines and bodies, None where missing."""
    headlines, bodies = ([one if isinstance(one, str) else None for one in rows[name]] for name in ("headline", "body"))
    return headlines, bodies


def _design(vectors: Array, audiences: Texts, known: Sequence[str]) -> Array:
    asked = np.asarray(audiences, dtype=object)
    shared = vectors[:, :SHARED]
    return np.hstack([vectors, *(shared * (asked == one)[:, None] for one in known)])


def _folds(creatives: "pd.Series[Any]", seed: int) -> npt.NDArray[np.intp]:
    names, place = np.unique(creatives.to_numpy(dtype=str), return_inverse=True)
    return np.asarray((np.random.default_rng(seed).permutation(len(names)) % FOLDS)[place])


def _held_out(design: Array, target: Array, weight: Array, fold: npt.NDArray[np.intp], penalty: float) -> Array:
    told = np.zeros(len(target))
    for held in range(FOLDS):
        out = fold == held
        if out.any() and not out.all():
            told[out] = design[out] @ _ridge(design[~out], target[~out], weight[~out], penalty)
    return told


def _ridge(design: Array, target: Array, weight: Array, penalty: float) -> Array:
    weighted = design * weight[:, None]
    ridge = design.T @ weighted + penalty * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(ridge, weighted.T @ target), dtype=np.float64)


def saved(model: CopyModel) -> tuple[Mapping[str, Any], dict[str, npt.NDArray[Any]]]:
    """As plain JSON values, and arrays."""
    arrays = {f"text_{name}": array for name, array in model.vectors.arrays().items()}
    return {"audiences": list(model.audiences)}, {**arrays, "text_weights": model.weights}


def loaded(about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> CopyModel:
    """From what `saved` gave."""
    components, center, mean, scale = (arrays[f"text_{name}"] for name in ("components", "center", "mean", "scale"))
    vectors = TextVectors(components, center, mean, scale)
    return CopyModel(vectors, tuple(about["audiences"]), arrays["text_weights"])
