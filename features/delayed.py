"""Delayed conversions: estimates from the log which share of conversions has happened by an auction's age.

A log ends before the conversions of its last days do, so the newest auctions seem to convert less. Each auction
therefore has the share of conversions expected by its age (`matured`): observed conversions are divided by it, and
auctions with a share below `OPEN` are left out of examples.

With times (`converted_at`), the share is the distribution of delays, right-truncated at the auction's age. The
product-limit estimate in reverse time corrects for that (Lagakos, Barraj and De Gruttola, "Nonparametric analysis of
truncated survival data", 1988); Chapelle, "Modeling Delayed Feedback in Display Advertising" (2014), assumes an
exponential delay. Delays longer than the log cannot be estimated.

Without conversion times, the last days on which significantly fewer clicks converted than before are left out. A
campaign whose conversion rate really fell looks the same.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from features.database import Database
from features.tables import Tables

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: The least share of conversions that must have come before an auction is learnt from.
OPEN = 0.5
#: Conversions of a campaign from which its own delays are told; fewer, and it has those of all campaigns.
ENOUGH = 100
#: Conversions that must have been waited for as long as a delay, for it to be told.
AT_RISK = 20
#: Chance below which fewer conversions are no chance, days taken together, and the part of the log that may be open.
CHANCE, DAYS, PART = 0.01, 7, 1 / 3
#: The name that stands for all campaigns.
ALL = ""

# Hours are whole ones that have passed.
_TIMES = """
    WITH converted AS (
        SELECT campaign_id,
               ceil(greatest(date_diff('microsecond', occurred_at, converted_at), 0) / 3600e6)::BIGINT AS delay,
               floor(date_diff('microsecond', occurred_at, TIMESTAMP '{end}') / 3600e6)::BIGINT AS age
        FROM ({auctions})
        WHERE conversion_value > 0 AND coalesce(won, 1) = 1 AND converted_at <= TIMESTAMP '{end}'
          AND occurred_at IS NOT NULL
    )
    SELECT * FROM converted WHERE delay <= age
"""

_DAYS = """
    SELECT floor(date_diff('microsecond', occurred_at, TIMESTAMP '{end}') / 86400e6)::BIGINT AS age,
           sum(click) AS clicks, count(*) FILTER (conversion_value > 0) AS conversions
    FROM ({auctions})
    WHERE coalesce(won, 1) = 1 AND occurred_at <= TIMESTAMP '{end}' AND conversion_value IS NOT NULL
    GROUP BY ALL ORDER BY age
"""


@dataclass(frozen=True)
class Delay:
    """Distribution of conversion delays.

    Attributes:
        end: last timestamp of the log.
        shares: by campaign, and `ALL` for the others, the share of conversions by each whole hour of age from 0 on; 1
            afterwards.
        wait_h: hours after which a conversion without a time is counted.
    """

    end: str
    shares: dict[str, Floats]
    wait_h: int = 0

    @classmethod
    def none(cls) -> Self:
        """No delay."""
        return cls("9999-12-31", {})

    @property
    def hours(self) -> int:
        """Age in hours at which all conversions have happened."""
        return max((len(line) for line in self.shares.values()), default=0)

    def sql(self) -> str:
        """SQL of `whose`, `hour` and `share`, a row for each hour with a share below 1."""
        rows = [
            f"({place}, {hour}, {share!r})"
            for place, line in enumerate(self.shares.values())
            for hour, share in enumerate(line.tolist())
        ]
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in self.shares) or "NULL"
        none = "SELECT NULL::VARCHAR AS whose, NULL::BIGINT AS hour, NULL::DOUBLE AS share WHERE false"
        if not rows:
            return none
        return (
            f"SELECT [{names}][place + 1] AS whose, hour, share FROM (VALUES {', '.join(rows)}) t(place, hour, share)"
        )

    def whose(self, campaign: str = "campaign_id") -> str:
        """SQL of the key in `shares` for `campaign`."""
        own = ", ".join("'" + name.replace("'", "''") + "'" for name in self.shares if name != ALL)
        return f"CASE WHEN {campaign} IN ({own}) THEN {campaign} ELSE '{ALL}' END" if own else f"'{ALL}'"


def learn(tables: Tables, as_of: str | None = None) -> Delay:
    """Estimate the delays of conversions in `auctions`, as of `as_of`."""
    with tables.connect() as db:
        return learn_by(db, tables, as_of)


def learn_by(db: Database, tables: Tables, as_of: str | None = None) -> Delay:
    """`learn` over an open connection."""
    there = tables.columns("auctions")
    end = _end(db, tables, there, as_of) if "conversion_value" in there else None
    if end is None:
        return Delay.none()
    given = {"auctions": tables.whole("auctions"), "end": end}
    if "converted_at" in there:
        told = db.sql(_TIMES.format(**given)).df()
        campaigns, delay, age = (np.asarray(told[name]) for name in ("campaign_id", "delay", "age"))
        return Delay(end, _by_campaign(campaigns, delay, age))
    days = db.sql(_DAYS.format(**given)).df()
    count = open_days(*(np.asarray(days[name], dtype=np.float64) for name in ("age", "clicks", "conversions")))
    return Delay(end, {ALL: np.zeros(24 * count)} if count else {}, 24 * count)


def come_by(delay: Integers, age: Integers) -> Floats:
    """The share of conversions by each whole hour of age, from 0 to the last hour below 1.

    `delay` and `age` are of observed conversions, so no delay exceeds its age.
    """
    if len(delay) < AT_RISK:
        return np.zeros(0)
    hours = np.arange(int(delay.max()) + 1)
    came = np.bincount(delay, minlength=len(hours)).astype(np.float64)
    at_risk = np.cumsum(came) - np.searchsorted(np.sort(age), hours, side="left")
    told = np.flatnonzero(at_risk >= AT_RISK)
    if not len(told):
        return np.zeros(0)
    last = int(told[-1])  # delays above are too few to be told from those that nobody could have waited for
    stay = 1 - came[1 : last + 1] / np.maximum(at_risk[1 : last + 1], 1)
    return np.cumprod(stay[::-1], dtype=np.float64)[::-1]


def open_days(age: Floats, clicks: Floats, conversions: Floats) -> int:
    """Number of last days of a log with incomplete conversions; arrays are by day, with their age in days."""
    most = int(PART * (age.max() + 1)) if len(age) else 0
    for first in range(most):
        if min(_fewer(age, clicks, conversions, first, first + more) for more in range(DAYS)) * DAYS >= CHANCE:
            return first
    return most


def _fewer(age: Floats, clicks: Floats, conversions: Floats, first: int, last: int) -> float:
    """p-value of as few conversions on days of these ages, at the rate of all earlier days."""
    from scipy.special import pdtr  # a tenth of a second, and every process imports this module

    young, old = (age >= first) & (age <= last), age > last
    if not conversions[old].sum():
        return 1.0
    rate = conversions[old].sum() / max(clicks[old].sum(), 1)
    return float(pdtr(conversions[young].sum(), rate * clicks[young].sum()))


def _end(db: Database, tables: Tables, there: dict[str, str], as_of: str | None) -> str | None:
    moments = [name for name in ("occurred_at", "converted_at") if name in there]
    if "occurred_at" not in moments:
        return None
    until = "'9999-12-31'" if as_of is None else f"'{as_of}'"
    last = ", ".join(f"max({name}::TIMESTAMP) FILTER ({name}::TIMESTAMP <= {until}::TIMESTAMP)" for name in moments)
    found = db.sql(f"SELECT {last} FROM {tables.sql('auctions')}").fetchall()[0]
    end = max((one for one in found if one is not None), default=None)
    return None if end is None else str(end)


def _by_campaign(campaign: npt.NDArray[np.object_], delay: Integers, age: Integers) -> dict[str, Floats]:
    names, counts = np.unique(np.asarray(campaign, dtype=str), return_counts=True)
    whole = {ALL: come_by(delay, age)}
    own = {str(name): come_by(delay[campaign == name], age[campaign == name]) for name in names[counts >= ENOUGH]}
    return whole | own
