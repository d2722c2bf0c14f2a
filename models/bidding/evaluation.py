"""Compares policies on the same held-out episodes, with bootstrap intervals over episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy, Pricing, ReplayOutcome, replay
from models.bidding.market import Markets
from models.evaluation.bootstrap import SAMPLES, Interval

#: The name that stands for all campaigns together.
ALL = "all"


@dataclass(frozen=True)
class Comparison:
    """Results of several policies on the same episodes and budgets.

    `outcomes` have arrays of (ratios, episodes), `campaign` is of (episodes,), and `weights`, of (samples, episodes),
    count the draws of an episode in each bootstrap sample; samples are stratified by campaign.
    """

    ratios: tuple[float, ...]
    campaign: np.ndarray[tuple[int, ...], np.dtype[np.str_]]
    outcomes: Mapping[str, ReplayOutcome]
    weights: Floats

    def total(self, policy: str, campaign: str = ALL, ratios: Sequence[float] | None = None) -> Interval:
        """Clicks won by a policy."""
        clicks = self._by_episode(self.outcomes[policy].clicks, campaign, ratios)
        return _interval(float(clicks.sum()), self.weights @ clicks)

    def share(self, policy: str, campaign: str = ALL, ratios: Sequence[float] | None = None) -> Interval:
        """Value won by a policy as a share of the optimum in hindsight."""
        outcome = self.outcomes[policy]
        return self._ratio(outcome.value, outcome.optimum, campaign, ratios)

    def against(self, policy: str, other: str, campaign: str = ALL, ratios: Sequence[float] | None = None) -> Interval:
        """Ratio of the clicks of two policies, on the same samples; NaN where the other won none."""
        return self._ratio(self.outcomes[policy].clicks, self.outcomes[other].clicks, campaign, ratios)

    def per_spend(
        self, policy: str, other: str, campaign: str = ALL, ratios: Sequence[float] | None = None
    ) -> Interval:
        """Ratio of the value per spend of two policies, on the same samples.

        Ignores volume: a policy that spends less of its budget buys the cheapest impressions.
        """
        ours, theirs = self.outcomes[policy], self.outcomes[other]
        arrays = (ours.value, theirs.cost, ours.cost, theirs.value)
        value, cost, spent, worth = (self._by_episode(array, campaign, ratios) for array in arrays)
        with np.errstate(invalid="ignore", divide="ignore"):
            sampled = (self.weights @ value) * (self.weights @ cost) / ((self.weights @ spent) * (self.weights @ worth))
            return _interval(float(value.sum() * cost.sum() / (spent.sum() * worth.sum())), sampled)

    def values(self, policy: str, other: str, campaign: str = ALL, ratios: Sequence[float] | None = None) -> Interval:
        """Ratio of the value won by two policies, on the same samples."""
        return self._ratio(self.outcomes[policy].value, self.outcomes[other].value, campaign, ratios)

    def gain(self, policy: str, other: str, campaign: str = ALL, ratios: Sequence[float] | None = None) -> Interval:
        """Relative difference of the clicks of two policies, on the same samples."""
        more = self.outcomes[policy].clicks - self.outcomes[other].clicks
        gains = self._by_episode(more, campaign, ratios)
        return _interval(float(gains.sum()), self.weights @ gains)

    def frame(self, other: str = "linear") -> pd.DataFrame:
        """A row per campaign (and all), budget and policy: totals, intervals, share of hindsight, gain over `other`."""
        cells = [(name, ratio) for name in [*sorted(set(self.campaign.tolist())), ALL] for ratio in self.ratios]
        return pd.DataFrame(
            [self._row(name, ratio, policy, other) for name, ratio in cells for policy in self.outcomes]
        )

    def below(self, policy: str, other: str) -> list[tuple[str, float]]:
        """The campaigns and budgets at which a policy won significantly less than another."""
        names = sorted(set(self.campaign.tolist()))
        return [(name, at) for name in names for at in self.ratios if self.gain(policy, other, name, [at]).high < 0]

    def _row(self, name: str, ratio: float, policy: str, other: str) -> dict[str, str | float]:
        outcome, here = self.outcomes[policy], (name, [ratio])
        clicks, gain = self.total(policy, *here), self.gain(policy, other, *here)
        sums = {column: self._by_episode(getattr(outcome, column), *here).sum() for column in ("value", "cost", "wins")}
        return {
            "campaign": name,
            "ratio": ratio,
            "policy": policy,
            "clicks": clicks.value,
            "clicks_low": clicks.low,
            "clicks_high": clicks.high,
            **sums,
            "share_of_hindsight": self.share(policy, *here).value,
            "gain": gain.value,
            "gain_low": gain.low,
            "gain_high": gain.high,
        }

    def _by_episode(self, array: Floats, campaign: str, ratios: Sequence[float] | None) -> Floats:
        lines = [i for i, ratio in enumerate(self.ratios) if ratios is None or ratio in ratios]
        mask = np.ones(len(self.campaign)) if campaign == ALL else (self.campaign == campaign).astype(float)
        return np.asarray(array[lines].sum(axis=0) * mask)

    def _ratio(self, above: Floats, below: Floats, campaign: str, ratios: Sequence[float] | None) -> Interval:
        top, bottom = (self._by_episode(array, campaign, ratios) for array in (above, below))
        with np.errstate(invalid="ignore", divide="ignore"):
            sampled = (self.weights @ top) / (self.weights @ bottom)
            return _interval(float(top.sum() / bottom.sum()), sampled)


def compare(
    policies: Mapping[str, Policy],
    episodes: Episodes,
    markets: Markets,
    ratios: Sequence[float],
    seed: int,
    pricing: Pricing = "second",
) -> Comparison:
    """Replay held-out episodes with every policy, with budgets from the markets of the training log."""
    budget = market.budgets(markets, episodes, ratios)
    outcomes = {name: replay(episodes, budget, policy, pricing) for name, policy in policies.items()}
    return Comparison(tuple(ratios), episodes.campaign, outcomes, _weights(episodes, seed))


def _weights(episodes: Episodes, seed: int) -> Floats:
    """Samples of episodes drawn with replacement, as many of each campaign as there are (Efron, 1979)."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((SAMPLES, len(episodes)))
    for name in episodes.campaigns:
        place = np.flatnonzero(episodes.campaign == name)
        weights[:, place] = rng.multinomial(len(place), np.full(len(place), 1 / len(place)), SAMPLES)
    return weights


def _interval(value: float, sampled: Floats) -> Interval:
    finite = sampled[np.isfinite(sampled)]
    if len(finite) < SAMPLES / 2:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(finite, [0.025, 0.975])
    return Interval(value, float(low), float(high))
