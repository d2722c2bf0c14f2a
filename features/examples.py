"""Builds examples from history: entity, cutoff, split and label."""

import warnings
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from pydantic import BaseModel, ConfigDict, PositiveInt

from features import orders
from features.tables import UNDATED, Tables

DAY = pd.Timedelta(days=1)
#: Where history is short, each window that is learnt from is at least this part of it.
LEAST_LEARNT = 5
#: Of the customers, where they are divided at random: the rest trains.
VALID_SHARE = 0.2


class Window(BaseModel):
    """How to cut history into examples, in days.

    Test examples are at the latest cutoff whose horizon has passed; valid and train examples at earlier cutoffs whose
    horizons end by then, so that training never sees data after the test cutoff.

    `max_cutoffs` limits the training cutoffs to the newest ones, and `max_examples` the examples per split: customers
    are sampled by a hash, each with all cutoffs or none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    horizon_days: PositiveInt
    step_days: PositiveInt
    min_history_days: PositiveInt
    max_cutoffs: PositiveInt = 26
    max_examples: PositiveInt = 50_000


class Windowed(Protocol):
    """Parameters of a family with a window."""

    @property
    def seed(self) -> int: ...

    @property
    def window(self) -> Window: ...


@dataclass(frozen=True)
class Cutoffs:
    """Cutoffs of each split, and their horizons in days.

    With `by_customer`, history is too short for separate train and valid cutoffs: customers are split between them by a
    hash, and the test cutoff is still after both.
    """

    train: tuple[pd.Timestamp, ...]
    valid: tuple[pd.Timestamp, ...]
    test: pd.Timestamp
    learn_days: int
    test_days: int
    by_customer: bool

    def frame(self) -> pd.DataFrame:
        """One row per cutoff and split: event_timestamp, split, horizon_days, and ends_at, the end of the horizon."""
        rows = [(at, "train", self.learn_days) for at in self.train]
        rows += [(at, "valid", self.learn_days) for at in self.valid]
        rows += [(self.test, "test", self.test_days)]
        frame = pd.DataFrame(rows, columns=["event_timestamp", "split", "horizon_days"])
        return frame.assign(ends_at=frame["event_timestamp"] + pd.to_timedelta(frame["horizon_days"], unit="D"))


def span(tables: Tables, as_of: str | None = None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Start of the first and end of the last whole day of transactions up to `as_of`.

    Raises `ValueError` where there are no transactions.
    """
    if "transactions" not in tables.names:
        raise ValueError(f"{tables.folder}: there are no transactions to cut into history and future")
    with tables.connect() as db:
        days = "date_trunc('day', min(occurred_at)), date_trunc('day', max(occurred_at))"
        first, last = db.execute(f"SELECT {days} FROM {tables.sql('transactions')}").fetchall()[0]
    if first is None:
        raise ValueError("transactions: the table is empty")
    last = pd.Timestamp(last)
    return pd.Timestamp(first), min(last, pd.Timestamp(as_of)) if as_of else last


def plan(
    first: pd.Timestamp, last: pd.Timestamp, window: Window, cutoff: str | None = None, shorten: bool = False
) -> Cutoffs:
    """Choose the cutoffs: test as late as its horizon allows or at `cutoff`, valid a horizon before, train before that.

    A horizon beyond the end of the data is shortened, with a warning. Where history is too short, customers are split
    between train and valid; with `shorten`, the training horizons are shortened instead.

    Raises:
        ValueError: where history is too short; says how many days are missing.
    """
    test = pd.Timestamp(cutoff) if cutoff else last - window.horizon_days * DAY
    ahead = min(window.horizon_days, (last - test).days)
    if ahead < 1 or test <= first:
        raise ValueError(
            f"cutoff {test:%Y-%m-%d}: needs history and future, the data covers {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        )
    if ahead < window.horizon_days:
        warnings.warn(f"the data ends {ahead} days after the cutoff: the horizon is {ahead} days", stacklevel=2)
    oldest = first + window.min_history_days * DAY
    train = _back(test - 2 * ahead * DAY, oldest, window)
    if train:
        return Cutoffs(train, (test - ahead * DAY,), test, ahead, ahead, by_customer=False)
    if shorten:
        # Three short windows are more informative than one long one, and tuning stays later than training.
        learn = (test - oldest).days // 3
        if learn < 1:
            needed = window.min_history_days + 3
            raise ValueError(f"cutoff {test:%Y-%m-%d}: needs {needed} days of history, got {(test - first).days}")
        # Windows of a few days only show weekday effects: prefer less history for the oldest examples.
        learn = min(ahead, max(learn, (test - first).days // LEAST_LEARNT))
        train = _back(test - 2 * learn * DAY, min(oldest, test - 3 * learn * DAY), window)
        return Cutoffs(train, (test - learn * DAY,), test, learn, ahead, by_customer=False)
    if test - ahead * DAY < oldest:
        missing = (oldest - (test - ahead * DAY)).days
        raise ValueError(f"history is {missing} days too short for a horizon of {ahead} days: set a shorter one")
    shared = _back(test - ahead * DAY, oldest, window)
    return Cutoffs(shared, shared[:1], test, ahead, ahead, by_customer=True)


def _back(latest: pd.Timestamp, oldest: pd.Timestamp, window: Window) -> tuple[pd.Timestamp, ...]:
    """Cutoffs from `latest` back to `oldest` in steps, limited by `max_cutoffs`."""
    if latest < oldest:
        return ()
    steps = min((latest - oldest).days // window.step_days + 1, window.max_cutoffs)
    return tuple(latest - i * window.step_days * DAY for i in range(steps))


# `draw` is uniform, and lasts a customer's life.
_BUYERS = """
    CREATE TABLE buyers AS
    SELECT customer_id, min(known_at) AS first_at,
           md5_number_lower('drawn' || customer_id || $seed) / 18446744073709551616.0 AS draw
    FROM orders WHERE purchase GROUP BY customer_id
"""

# Of each split's examples such a share that there are no more than there may be.
_EXAMPLES = """
    CREATE TABLE examples AS
    WITH there AS (
        SELECT split, count(*) AS examples FROM cutoffs JOIN buyers ON first_at <= event_timestamp GROUP BY split
    )
    SELECT b.customer_id, c.*
    FROM cutoffs c JOIN there USING (split)
    JOIN buyers b ON b.first_at <= c.event_timestamp AND b.draw * examples < $most
    WHERE $together OR split = 'test' OR (split = 'valid') = (md5_number_lower(customer_id || $seed) % 100 < $valid)
"""

# What came at the cutoff or before is history, what came later is future: purchases as they stood at the end of the
# horizon, and all that was paid and given back until then.
_OBSERVED = """
    WITH seen AS (
        SELECT customer_id, event_timestamp, split, horizon_days,
               count(*) FILTER (purchase AND occurred_at > event_timestamp AND ends_at < until) AS purchases,
               round(greatest(coalesce(sum(added) FILTER (known_at > event_timestamp), 0), 0)::DOUBLE, 6) AS value,
               count(*) FILTER (purchase AND known_at <= event_timestamp AND event_timestamp < until) AS before
        FROM examples JOIN orders USING (customer_id) WHERE known_at <= ends_at
        GROUP BY ALL
    )
    SELECT customer_id, event_timestamp, split, purchases, value, horizon_days::BIGINT AS horizon_days
    FROM seen WHERE before > 0
    ORDER BY event_timestamp, split, customer_id
"""


def observed(
    tables: Tables, params: Windowed, as_of: str | None = None, cutoff: str | None = None, shorten: bool = False
) -> pd.DataFrame:
    """Customers with at least one purchase by each cutoff, and what they bought in the days after it (see `plan`).

    Returns:
        customer_id, event_timestamp, split (`train`, `valid`, `test`), purchases, value (net of returns, at least 0)
        and horizon_days, over which both are counted.
    """
    cutoffs = plan(*span(tables, as_of), params.window, cutoff, shorten)
    seed, most, valid = str(params.seed), params.window.max_examples, round(100 * VALID_SHARE)
    with tables.connect() as db:
        db.register("cutoffs", cutoffs.frame())
        db.execute(f"CREATE TABLE orders AS {orders.sql(tables.whole('transactions'))}")
        db.execute(_BUYERS, {"seed": seed})
        db.execute(_EXAMPLES, {"seed": seed, "most": most, "together": not cutoffs.by_customer, "valid": valid})
        return db.execute(_OBSERVED).df()


def latest(tables: Tables, as_of: str | None = None) -> pd.Timestamp:
    """Last time with customer data up to `as_of`: the end of the last whole day of transactions, else the snapshot of
    the customers."""
    if tables.rows().get("transactions"):
        return span(tables, as_of)[1]
    if as_of:
        return pd.Timestamp(as_of)
    if "snapshot_at" in tables.columns("customers"):
        with tables.connect() as db:
            found = db.execute(f"SELECT max(snapshot_at) FROM {tables.sql('customers')}").fetchall()[0][0]
        return pd.Timestamp(UNDATED if found is None else found)
    return pd.Timestamp(UNDATED)
