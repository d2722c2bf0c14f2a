"""A simulated market of ad creatives with planted effects: who clicks on what, where, and at what price.

The log odds of a click are the sum of the levels of campaign, format, placement, audience and weekday, the effects of
the headline's traits, of its topic for the audience, of the creative itself (`OWN`), and of its fatigue, which grows
with its age. All draws depend on the seed alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.simulator import copy_templates
from features.simulator.copy_templates import Copy

Floats = npt.NDArray[np.float64]
Texts = str | Sequence[str] | pd.Series
Days = int | Sequence[int] | npt.NDArray[np.int64] | pd.Series
#: Day 0, a Monday.
START = pd.Timestamp("2019-09-16")
DAYS = 91
CHANNELS: dict[str, float] = {"feed": 0.0, "story": -0.37}
AUDIENCES: dict[str, float] = {"18-34": 0.15, "35-54": 0.0, "55+": -0.2}
FORMATS: dict[str, float] = {"image": 0.0, "video": 0.2, "carousel": -0.1}
WEEK = np.array([0.0, 0.0, -0.03, -0.03, 0.0, 0.1, 0.12])
#: Effects of a headline's traits on the log odds of a click; `words` for each beyond six.
TRAITS = {"number": 0.25, "question": -0.2, "emotional": 0.3, "words": -0.05}
#: Effect of a topic on an audience, in order of `AUDIENCES`.
AFFINITY = {
    "travel": (0.2, 0.0, -0.1),
    "money": (-0.35, 0.05, 0.35),
    "food": (0.0, 0.1, 0.0),
    "sport": (0.3, 0.0, -0.35),
}
#: Standard deviation of what a creative has of its own, beyond its traits.
OWN = 0.15
#: Mean loss of log odds a day, which varies by creative.
FATIGUE = 0.012
#: Mean click rate, conversions per click, engagements per impression and price per click of the first campaign.
CTR, CONVERSION_RATE, ENGAGEMENT, CPC = 0.02, 0.08, 0.05, 0.6


@dataclass(frozen=True)
class SimulatedCreative:
    """A creative with its texts, its days and its own effects on log odds (click, conversion) and logarithms (price).

    `twin`: the creative that it is tested against from its first day on; None where it is shown without experiment.
    """

    creative_id: str
    campaign: int
    copy: Copy
    format: str
    first_day: int
    days: int
    own: float
    own_conversion: float
    own_price: float
    fatigue: float
    volume: float
    twin: str | None = None


@dataclass(frozen=True)
class CreativeMarket:
    """Campaigns of creatives, each shown to all audiences on all placements from its first day on.

    Args:
        seed: of all draws.
        campaigns, creatives: number of campaigns, and of creatives in each.
        days: of the simulation from `START`.
        volume: median daily impressions of a creative on a placement to an audience.
    """

    seed: int
    campaigns: int = 10
    creatives: int = 32
    days: int = DAYS
    volume: float = 60.0

    @cached_property
    def levels(self) -> pd.DataFrame:
        """By campaign: log odds of a click, a conversion and an engagement, and logarithm of the price of a click."""
        draws = np.random.default_rng([self.seed, 0]).standard_normal((self.campaigns, 4))
        means = [_logit(CTR), _logit(CONVERSION_RATE), _logit(ENGAGEMENT), np.log(CPC)]
        return pd.DataFrame(
            means + draws * [0.4, 0.3, 0.3, 0.3], columns=["click", "conversion", "engagement", "price"]
        )

    @cached_property
    def all(self) -> dict[str, SimulatedCreative]:
        """The creatives by id. The first two of each second campaign are tested against each other."""
        made: dict[str, SimulatedCreative] = {}
        for campaign in range(self.campaigns):
            rng = np.random.default_rng([self.seed, 1, campaign])
            for place in range(self.creatives):
                name = f"market-{campaign:02d}-{place:02d}"
                twin = f"market-{campaign:02d}-00" if place == 1 and campaign % 2 else None
                made[name] = self._make(name, campaign, place, twin, rng)
                if twin:
                    made[name] = _beside(made[name], made[twin])
        return made

    def _make(
        self, name: str, campaign: int, place: int, twin: str | None, rng: np.random.Generator
    ) -> SimulatedCreative:
        days = int(rng.integers(14, 36))
        # Spread over the market's days; the youngest have only just begun.
        first = int(rng.integers(-7, max(self.days - 3, 1)))
        own, conversion, price, fatigue, volume = rng.standard_normal(5)
        return SimulatedCreative(
            creative_id=name,
            campaign=campaign,
            copy=copy_templates.write(rng),
            format=str(rng.choice(list(FORMATS))),
            first_day=max(first, 0),
            days=days,
            own=OWN * own,
            own_conversion=0.25 * conversion,
            own_price=0.15 * price,
            fatigue=FATIGUE * float(np.exp(0.5 * fatigue)),
            volume=self.volume * float(np.exp(0.7 * volume)),
            twin=twin,
        )

    def click_rate(self, creative_ids: Texts, channel: Texts, audience: Texts, day: Days) -> Floats:
        """True click rate of creatives in contexts on days since `START`: arguments of equal length, or one for all.

        Raises `KeyError` for an unknown creative, channel or audience.
        """
        one, where, who = self._facts(creative_ids), _of(CHANNELS, channel), _of(AUDIENCES, audience)
        days = np.asarray(day, dtype=np.int64)
        taste = one[list(AUDIENCES)].to_numpy()[np.arange(len(one)), _places(AUDIENCES, audience)]
        tired = one["fatigue"].to_numpy() * np.maximum(days - one["first_day"].to_numpy(), 0)
        return _expit(one["click"].to_numpy() + where + who + taste + WEEK[days % 7] - tired)

    def conversion_rate(self, creative_ids: Texts, channel: Texts, audience: Texts, day: Days) -> Floats:
        """True conversions per click; arguments as of `click_rate`."""
        level = self._facts(creative_ids)["conversion"].to_numpy()
        return _expit(level + 0.4 * _of(CHANNELS, channel) - _of(AUDIENCES, audience))

    def engagement_rate(self, creative_ids: Texts, channel: Texts, audience: Texts, day: Days) -> Floats:
        """True engagements (likes, shares, comments) per impression; arguments as of `click_rate`."""
        return _expit(self._facts(creative_ids)["engagement"].to_numpy() + _of(CHANNELS, channel))

    def cost(self, creative_ids: Texts, channel: Texts, audience: Texts, day: Days) -> Floats:
        """Mean price of a click, in the account's currency; arguments as of `click_rate`."""
        level = self._facts(creative_ids)["price"].to_numpy()
        return np.asarray(np.exp(level + 0.5 * _of(CHANNELS, channel) - _of(AUDIENCES, audience)))

    @cached_property
    def _levels(self) -> pd.DataFrame:
        """By creative: all that does not depend on context and day."""
        return pd.DataFrame({name: self._level(one) for name, one in self.all.items()}).T

    def _level(self, one: SimulatedCreative) -> dict[str, float]:
        level, copy = self.levels.iloc[one.campaign], one.copy
        return {
            "click": level["click"] + FORMATS[one.format] + _said(copy) + one.own,
            "conversion": level["conversion"] + one.own_conversion - 0.2 * copy.emotional,
            "engagement": level["engagement"] + 0.5 * one.own + 0.3 * copy.emotional + 0.2 * copy.question,
            "price": level["price"] + one.own_price,
            "fatigue": one.fatigue,
            "first_day": one.first_day,
            **dict(zip(AUDIENCES, AFFINITY[copy.topic], strict=True)),
        }

    def _facts(self, creative_ids: Texts) -> pd.DataFrame:
        ids = [creative_ids] if isinstance(creative_ids, str) else list(creative_ids)
        return self._levels.iloc[_places(self._levels.index, ids)]

    def log(self) -> pd.DataFrame:
        """Counts of each day by creative, channel and audience: the canonical table of impressions."""
        days = self._shown()
        rng = np.random.default_rng([self.seed, 2])
        where = [days[name] for name in ("creative_id", "channel", "audience", "day")]
        shown = days["impressions"].to_numpy()
        clicks = rng.binomial(shown, self.click_rate(*where))
        return days.assign(
            occurred_at=START + pd.to_timedelta(days["day"], unit="D"),
            clicks=clicks,
            conversions=rng.binomial(clicks, self.conversion_rate(*where)),
            engagements=rng.binomial(shown, self.engagement_rate(*where)),
            spend=np.round(self.cost(*where) * clicks * np.exp(0.1 * rng.standard_normal(len(days))), 4),
        ).drop(columns="day")

    def _shown(self) -> pd.DataFrame:
        """Where each creative is shown how often; those of an experiment share their impressions at random."""
        rng = np.random.default_rng([self.seed, 3])
        places = [(channel, audience) for channel in CHANNELS for audience in AUDIENCES]
        tested = {one.twin for one in self.all.values() if one.twin}
        shown: list[_ShownCreative] = []
        for one in self.all.values():
            if one.creative_id in tested:
                continue
            day = np.repeat(np.arange(one.first_day, min(one.first_day + one.days, self.days)), len(places))
            mean = one.volume * (2 if one.twin else 1) * (1 + 0.2 * (day % 7 >= 5))
            whole = _ShownCreative(one.creative_id, one.campaign, day, rng.poisson(mean))
            shown += _split(whole, one.twin, rng) if one.twin else [whole]
        return _table(shown, places).query("impressions > 0")


@dataclass(frozen=True)
class _ShownCreative:
    """Days and impressions of a creative in all places, a day's after each other; its arm, in an experiment."""

    creative_id: str
    campaign: int
    day: npt.NDArray[np.int64]
    impressions: npt.NDArray[np.int64]
    arm: str | None = None


def _split(whole: _ShownCreative, twin: str, rng: np.random.Generator) -> list[_ShownCreative]:
    """Both arms of an experiment: each impression went to one of them with probability 1/2."""
    half = rng.binomial(whole.impressions, 0.5)
    return [
        replace(whole, creative_id=twin, impressions=half, arm="A"),
        replace(whole, impressions=whole.impressions - half, arm="B"),
    ]


def _table(shown: Sequence[_ShownCreative], places: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row a day and place. Made as a whole: a frame for each creative takes ten times as long."""
    rows = [len(one.day) for one in shown]

    def each(values: Iterable[object]) -> npt.NDArray[Any]:
        return np.repeat(np.array(list(values), dtype=object), rows)

    channels, audiences = zip(*places, strict=True)
    days = sum(rows) // len(places)
    return pd.DataFrame(
        {
            "day": np.concatenate([one.day for one in shown]),
            "channel": np.tile(np.array(channels, dtype=object), days),
            "audience": np.tile(np.array(audiences, dtype=object), days),
            "creative_id": each(one.creative_id for one in shown),
            "campaign_id": each(f"market-{one.campaign:02d}" for one in shown),
            "impressions": np.concatenate([one.impressions for one in shown]),
            "experiment_id": each(f"market-{one.campaign:02d}-test" if one.arm else None for one in shown),
            "arm": each(one.arm for one in shown),
            "propensity": each(0.5 if one.arm else np.nan for one in shown).astype(np.float64),
        }
    )


def _beside(one: SimulatedCreative, other: SimulatedCreative) -> SimulatedCreative:
    """`one` on the days of `other`."""
    return replace(one, first_day=other.first_day, days=other.days)


def _said(copy: Copy) -> float:
    """Effect of a headline's traits."""
    traits = {"number": copy.number, "question": copy.question, "emotional": copy.emotional, "words": copy.words - 6}
    return float(sum(TRAITS[name] * value for name, value in traits.items()))


def _of(levels: Mapping[str, float], names: Texts) -> Floats:
    """The levels of these names. Raises `KeyError` naming one that is not there."""
    return np.array(list(levels.values()))[_places(levels, names)]


def _places(known: Iterable[str], names: Texts) -> npt.NDArray[np.intp]:
    asked = pd.Index([names] if isinstance(names, str) else list(names), dtype=object)
    places = pd.Index(list(known), dtype=object).get_indexer(asked)
    if (places < 0).any():
        raise KeyError(f"'{asked[int(np.argmin(places))]}' is not in this market")
    return places


def _logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _expit(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))
