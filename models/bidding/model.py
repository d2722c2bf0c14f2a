"""The bidding model: predicts bids from rows of features and request context, and replays whole episodes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bidding import frame, market
from models.bidding.auctions import Floats
from models.bidding.environment import AuctionReplay
from models.bidding.fit import LOADS, SavablePolicy
from models.bidding.market import Market
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import Document
from models.bidding.reserve import Goal, Spend, spendable
from models.inputs import InvalidRows
from models.vectors import Texts

#: Auctions of the last week at which its prices weigh as much as those of the log that was learnt from.
DOUBT = 1000.0
#: What an explanation names, most.
DRIVERS = 5


class About(Document):
    """The policy's name, its markets, and typical values by column and campaign for explanations.

    `spend` says whether to keep money that is not worth spending, and `goal` what is bought. With conversions, requests
    need a predicted click probability in addition to the value of winning.
    """

    policy: str
    markets: Mapping[str, Market]
    usual: Mapping[str, Mapping[str, float]]
    spend: Spend = "all"
    goal: Goal = "clicks"


@dataclass(frozen=True)
class CampaignPrices:
    """Features of each row's campaign: mean price of the last week, and its number of auctions."""

    price: Floats
    auctions: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Self:
        """Raises `InvalidRows` for a missing column or a value that is not a finite number."""
        for name in (frame.PRICE, frame.PRICES):
            if name not in rows:
                raise InvalidRows(name, "a column of this name", "no such column")
        return cls.of_arrays(frame.number(rows, frame.PRICE), frame.number(rows, frame.PRICES))

    @classmethod
    def of_arrays(cls, price: Floats, count: Floats) -> Self:
        """From arrays, NaN where unknown."""
        there = (price > 0) & (count > 0)
        return cls(np.where(there, price, 1.0), np.where(there, count, 0.0))


class BiddingModel:
    """Bids by a policy, adjusted to current prices and capped at the remaining budget.

    Money is rescaled to the price level of the training log for the policy, and its bid is scaled back. Money that is
    not worth spending is hidden from it. Unknown campaigns are paced by the budget alone: even if every auction were
    won, spending would stay even.
    """

    def __init__(self, about: About, policy: SavablePolicy) -> None:
        self.about, self.policy = about, policy
        clicks = about.goal == "clicks"
        self._chance, self._worth = (
            ("predicted_value", "predicted_ctr") if clicks else ("predicted_ctr", "expected_value")
        )
        self.says = frozenset({"policy_bid", "policy_propensity", "baseline_bid", self._worth})
        self.beside = (self._chance, "target_cpc", "current_bid")

    def bid(self, seen: Observation, known: CampaignPrices) -> Floats:
        """Bids for the current auctions, of (rows,), at most the remaining budget."""
        learnt = np.array([name in self.about.markets for name in seen.campaigns])[seen.campaign]
        if not learnt.all():
            bids = seen.pace.copy()
            if learnt.any():
                bids[learnt] = self._by_policy(_take(seen, learnt), _known(known, learnt))
        else:
            bids = self._by_policy(seen, known)
        return np.asarray(np.clip(np.nan_to_num(bids), 0.0, np.maximum(seen.left, 0.0)))

    def expected_value(self, seen: Observation) -> Floats:
        """Value of winning: calibrated for known campaigns, else as predicted."""
        learnt = np.array([name in self.about.markets for name in seen.campaigns])[seen.campaign]
        worth = seen.expected_value.copy()
        if learnt.any():
            part = _take(seen, learnt)
            means = part.look_up({name: known.value for name, known in self.about.markets.items()})
            worth[learnt] = market.worth(self.about.markets, part) * means
        return worth

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`bid` and `expected_value` per row. Raises `InvalidRows`; see `frame.observed` for optional columns."""
        seen = frame.observed(rows)
        bid = self.bid(seen, CampaignPrices.of(rows))
        return pd.DataFrame({"bid": bid, "expected_value": self.expected_value(seen)}, index=rows.index)

    def answer_columns(self, column: Callable[[str], Floats], texts: Texts) -> dict[str, Floats]:
        """The policy's bid beside the one of the advertiser's own rule, and what winning is worth.

        The rule is linear: the target cost of a click times the chance of one, as whoever asks predicted it; for a
        campaign without a target, the bid that stands on the platform. Where nobody knows how many auctions are left
        the policy, which could not pace, bids by that rule. It leaves nothing to chance.
        """
        campaigns, channels = ([text or "" for text in texts[name]] for name in (frame.ENTITY, "channel"))
        seen = frame.observation({name: column(name) for name in frame.NUMBERS}, campaigns, channels)
        target = column("target_cpc") * column(self._chance)
        rule = np.where(np.isnan(target), column("current_bid"), target)
        bid = self.bid(seen, CampaignPrices.of_arrays(column(frame.PRICE), column(frame.PRICES)))
        return {
            "policy_bid": np.where(np.isnan(column("remaining")), rule, bid),
            "policy_propensity": np.ones(len(seen)),
            "baseline_bid": rule,
            self._worth: self.expected_value(seen),
        }

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers`: change of the bid in money if one input had its typical value, largest first."""
        bid = self.predict(rows)["bid"].to_numpy()
        usual = {name: self.predict(self._as_usual(rows, name))["bid"].to_numpy() for name in self.about.usual}
        effects = pd.DataFrame({name: bid - other for name, other in usual.items()}, index=rows.index)
        drivers = [
            [{"feature": str(name), "effect": float(row[name])} for name in row.abs().nlargest(DRIVERS).index]
            for _, row in effects.iterrows()
        ]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def save(self, folder: Path) -> None:
        """Write `model.json` and the policy's files."""
        (folder / "policy").mkdir(parents=True, exist_ok=True)
        (folder / "model.json").write_text(self.about.model_dump_json())
        self.policy.save(folder / "policy")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        about = About.model_validate_json((folder / "model.json").read_text())
        return cls(about, LOADS[about.policy](folder / "policy"))

    def _by_policy(self, seen: Observation, known: CampaignPrices) -> Floats:
        fitted = market.prices(self.about.markets, seen)
        level = (known.auctions * known.price / fitted + DOUBT) / (known.auctions + DOUBT)
        if self.about.spend == "worthwhile":
            seen = spendable(self.about.markets, seen, level)
        then = replace(seen, budget=seen.budget / level, left=seen.left / level, recent_cost=seen.recent_cost / level)
        return market.shaded(self.about.markets, then, self.policy.bid(then)) * level

    def _as_usual(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        if name != "left":
            return rows.assign(**{name: rows[frame.ENTITY].map(self.about.usual[name]).fillna(rows[name])})
        # Typical is an evenly spent budget.
        seen = frame.observed(rows)
        return rows.assign(left=np.minimum(seen.budget * seen.remaining / seen.auctions, seen.budget))


def trial(model: BiddingModel, test: pd.DataFrame) -> pd.DataFrame:
    """The bids of `model` in a replay of the episodes of `test` with their budgets, on the index of `test`."""
    episodes, places = frame.episodes(test)
    first = test.iloc[places[:, 0]]
    game = AuctionReplay(episodes, first["budget"].to_numpy(dtype=float), frame.pricing(test))
    known = CampaignPrices.of(first)
    bids, worth = np.empty(len(test)), np.empty(len(test))
    while not game.over:
        seen, now = game.observe(), places[:, game.at]
        bids[now] = model.bid(seen, known)
        worth[now] = model.expected_value(seen)
        game.settle(bids[now])
    return pd.DataFrame({"bid": bids, "expected_value": worth}, index=test.index)


def _take(seen: Observation, which: npt.NDArray[np.bool_]) -> Observation:
    """Some of the rows, and only their campaigns."""
    campaign, places = np.unique(seen.campaign[which], return_inverse=True)
    names: Sequence[str] = [seen.campaigns[place] for place in campaign]
    whole = ("campaign", "campaigns", "channels")
    arrays = {name: value[which] for name, value in vars(seen).items() if name not in whole}
    return Observation(campaign=places.astype(np.int64), campaigns=tuple(names), channels=seen.channels, **arrays)


def _known(known: CampaignPrices, which: npt.NDArray[np.bool_]) -> CampaignPrices:
    return CampaignPrices(known.price[which], known.auctions[which])
