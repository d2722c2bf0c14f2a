"""A policy as a model: rows of feature and request in, bids out, and whole episodes played where that is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.bidding import frame, market
from models.bidding.auctions import Floats
from models.bidding.environment import Replay
from models.bidding.fit import LOADS, Kept
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
    """Which policy it is, the markets it was fitted on, and what is usual: by column and campaign, for explanations.

    `spend` says whether money that is not worth spending is kept, and `goal` what is bought: where that is conversions,
    whoever asks predicts the chance of a click beside what winning is worth.
    """

    policy: str
    markets: Mapping[str, Market]
    usual: Mapping[str, Mapping[str, float]]
    spend: Spend = "all"
    goal: Goal = "clicks"


@dataclass(frozen=True)
class Known:
    """What the feature service says of each row's campaign: mean price of the last week, and of how many auctions."""

    price: Floats
    auctions: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Self:
        """Raises `InvalidRows` where a column is missing, or a value is no finite number."""
        for name in (frame.PRICE, frame.PRICES):
            if name not in rows:
                raise InvalidRows(name, "a column of this name", "no such column")
        return cls.told(frame.number(rows, frame.PRICE), frame.number(rows, frame.PRICES))

    @classmethod
    def told(cls, price: Floats, count: Floats) -> Self:
        """The same from arrays, NaN where the service does not know."""
        there = (price > 0) & (count > 0)
        return cls(np.where(there, price, 1.0), np.where(there, count, 0.0))


class BiddingModel:
    """Bids by a policy at the prices of today, cautiously for a campaign it has not learnt, and within what is left.

    A policy's bids are as many times higher as prices have risen since it was fitted: it is shown all money in the
    prices of the log it knows, and its bid is turned back. Money that is not worth spending today it is not shown.
    A campaign that was not in that log is paced by the bare budget: even if every auction were won, spending would stay
    even.
    """

    says = frozenset({"policy_bid", "policy_propensity", "baseline_bid", "expected_value"})

    def __init__(self, about: About, policy: Kept) -> None:
        self.about, self.policy = about, policy
        self._chance = "predicted_value" if about.goal == "clicks" else "predicted_ctr"
        self.beside = (self._chance, "target_cpc", "current_bid")

    def bid(self, seen: Observation, known: Known) -> Floats:
        """What to bid in each auction on offer, of (rows,), never above what is left."""
        learnt = np.array([name in self.about.markets for name in seen.campaigns])[seen.campaign]
        if not learnt.all():
            bids = seen.pace.copy()
            if learnt.any():
                bids[learnt] = self._by_policy(_take(seen, learnt), _known(known, learnt))
        else:
            bids = self._by_policy(seen, known)
        return np.asarray(np.clip(np.nan_to_num(bids), 0.0, np.maximum(seen.left, 0.0)))

    def expected_value(self, seen: Observation) -> Floats:
        """What winning is worth: calibrated for a campaign that was learnt, else as it was predicted."""
        learnt = np.array([name in self.about.markets for name in seen.campaigns])[seen.campaign]
        worth = seen.expected_value.copy()
        if learnt.any():
            part = _take(seen, learnt)
            means = part.look_up({name: known.value for name, known in self.about.markets.items()})
            worth[learnt] = market.worth(self.about.markets, part) * means
        return worth

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`bid` and `expected_value` a row. Raises `InvalidRows`; see `frame.observed` for what may be missing."""
        seen = frame.observed(rows)
        bid = self.bid(seen, Known.of(rows))
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
        bid = self.bid(seen, Known.told(column(frame.PRICE), column(frame.PRICES)))
        return {
            "policy_bid": np.where(np.isnan(column("remaining")), rule, bid),
            "policy_propensity": np.ones(len(seen)),
            "baseline_bid": rule,
            "expected_value": self.expected_value(seen),
        }

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers`: by how much the bid would be lower if one thing were as usual, in money, largest first."""
        bid = self.predict(rows)["bid"].to_numpy()
        usual = {name: self.predict(self._as_usual(rows, name))["bid"].to_numpy() for name in self.about.usual}
        effects = pd.DataFrame({name: bid - other for name, other in usual.items()}, index=rows.index)
        drivers = [
            [{"feature": str(name), "effect": float(row[name])} for name in row.abs().nlargest(DRIVERS).index]
            for _, row in effects.iterrows()
        ]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def save(self, folder: Path) -> None:
        """Write `model.json` and the policy's own parts beside it."""
        (folder / "policy").mkdir(parents=True, exist_ok=True)
        (folder / "model.json").write_text(self.about.model_dump_json())
        self.policy.save(folder / "policy")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        about = About.model_validate_json((folder / "model.json").read_text())
        return cls(about, LOADS[about.policy](folder / "policy"))

    def _by_policy(self, seen: Observation, known: Known) -> Floats:
        fitted = market.prices(self.about.markets, seen)
        level = (known.auctions * known.price / fitted + DOUBT) / (known.auctions + DOUBT)
        if self.about.spend == "worthwhile":
            seen = spendable(self.about.markets, seen, level)
        then = replace(seen, budget=seen.budget / level, left=seen.left / level, recent_cost=seen.recent_cost / level)
        return market.shaded(self.about.markets, then, self.policy.bid(then)) * level

    def _as_usual(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        if name != "left":
            return rows.assign(**{name: rows[frame.ENTITY].map(self.about.usual[name]).fillna(rows[name])})
        # Usual for a budget is to be spent evenly.
        seen = frame.observed(rows)
        return rows.assign(left=np.minimum(seen.budget * seen.remaining / seen.auctions, seen.budget))


def trial(model: BiddingModel, test: pd.DataFrame) -> pd.DataFrame:
    """What `model` bids when it plays the episodes of `test` with their budgets, on the index of `test`."""
    episodes, places = frame.episodes(test)
    first = test.iloc[places[:, 0]]
    game = Replay(episodes, first["budget"].to_numpy(dtype=float), frame.pricing(test))
    known = Known.of(first)
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


def _known(known: Known, which: npt.NDArray[np.bool_]) -> Known:
    return Known(known.price[which], known.auctions[which])
