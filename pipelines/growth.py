"""`adloop customers`: acquisition and growth, as tables, files and JSON."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features import baskets
from features.tables import Tables
from models.evaluation.bootstrap import Interval
from models.next_basket.model import NextBasket, recall, top
from pipelines.plain_json import plain_json
from serving.campaigns.customers.acquisition import AcquisitionChannel

#: Items proposed to a customer.
ITEMS = 5
#: Days whose purchases test the proposals.
TESTED = pd.Timedelta(days=28)


@dataclass(frozen=True)
class ProposalQuality:
    """How many of the items bought in the last weeks were among the first ten, beside the most popular ones."""

    again: Interval
    again_popular: Interval
    new: Interval
    new_popular: Interval


def spends(given: Sequence[str]) -> dict[str, float]:
    """Spend by channel from `CHANNEL=AMOUNT`. Raises `ValueError` naming the option."""
    found = {}
    for one in given:
        channel, _, amount = one.rpartition("=")
        try:
            found[channel] = float(amount)
        except ValueError:
            raise ValueError(f"--spend: expected CHANNEL=AMOUNT, got '{one}'") from None
        if not channel or not 0 <= found[channel] < 1e12:
            raise ValueError(f"--spend: expected CHANNEL=AMOUNT of at least 0, got '{one}'")
    return found


def proposals(tables: Tables, by: str, customers: Sequence[str], at: pd.Timestamp) -> pd.DataFrame:
    """`again` and `new`: the items to propose to these customers, best first, on the index of their order."""
    basket = NextBasket.of(baskets.read(tables, by, at))
    again, new = (top(scores, basket.items, ITEMS) for scores in (basket.again(customers), basket.new(customers)))
    return pd.DataFrame({"again": again, "new": new})


def quality(tables: Tables, by: str, at: pd.Timestamp, seed: int) -> ProposalQuality:
    """Proposals as of some weeks ago, against what was bought since."""
    basket = NextBasket.of(baskets.read(tables, by, at - TESTED))
    customers = list(basket.customers)
    bought = basket.bought(customers, baskets.read(tables, by, at, at - TESTED))
    own = basket.again(customers) > 0
    return ProposalQuality(
        again=recall(basket.again(customers), bought, 2 * ITEMS, seed),
        again_popular=recall(basket.most_popular(customers, new=False), bought, 2 * ITEMS, seed),
        new=recall(basket.new(customers), bought & ~own, 2 * ITEMS, seed),
        new_popular=recall(basket.most_popular(customers, new=True), bought & ~own, 2 * ITEMS, seed),
    )


def write(rows: pd.DataFrame, target: Path) -> Path:
    """Write rows as CSV, whole or not at all; lists of items are parted by semicolons."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    flat = rows.assign(**{name: rows[name].map("; ".join) for name in ("again", "new") if name in rows})
    flat.to_csv(aside, index=False)
    aside.replace(target)
    return target


def targets(found: Sequence[AcquisitionChannel]) -> pd.DataFrame:
    """What to bid for, a row a channel."""
    return pd.DataFrame(
        [{"channel": one.channel, "predicted_value": one.target, "most_cost": one.most} for one in found]
    )


def acquisition_json(found: Sequence[AcquisitionChannel]) -> str:
    """Channels as JSON."""
    return plain_json([asdict(one) for one in found])


def show_acquisition(found: Sequence[AcquisitionChannel], console: Console) -> None:
    """Print a row a channel."""
    table = Table(title="new customers by channel", title_justify="left")
    table.add_column("channel")
    for name in ("customers", "value of one", "cost of one", "margin over cost", "least value", "worth it", "bid for"):
        table.add_column(name, justify="right")
    for one in found:
        value = f"{_span(one.value, ',.0f')}{' (of all)' if one.pooled else ''}"
        cost = "-" if one.cost is None else f"{one.cost:,.2f}"
        ratio = "-" if one.ratio is None else _span(one.ratio, ".1f")
        least = "-" if one.threshold is None else f"{one.threshold:,.0f}"
        above = "-" if one.above is None else f"{one.above:.0%}"
        cells = (f"{one.customers:,}", value, cost, ratio, least, above, f"{one.target:,.2f}")
        table.add_row(escape(one.channel), *cells)
    console.print(table)


def growth_json(rows: pd.DataFrame, found: ProposalQuality, versions: Mapping[str, str]) -> str:
    """Customers as JSON."""
    told: dict[str, Any] = {"recall": asdict(found), "versions": dict(versions)}
    return plain_json(told | {"customers": rows.to_dict("records")})


def show_growth(rows: pd.DataFrame, found: ProposalQuality, console: Console) -> None:
    """Print the first customers, those that decline, and how good the proposals were."""
    best = rows[rows["top"]]
    share = best["value"].sum() / rows["value"].sum()
    console.print(f"{len(best):,} of {len(rows):,} customers have {share:.0%} of the predicted value")
    console.print(_customers(best.head(10), "highest value"))
    declining = rows[rows["declining"]].sort_values("value_before", ascending=False)
    if len(declining):
        console.print(_customers(declining.head(10), f"declining: {len(declining):,} were at the top"))
    else:
        console.print("no customer of the earlier top declined beyond the interval of its value")
    for name, ours, theirs in (
        ("again", found.again, found.again_popular),
        ("new", found.new, found.new_popular),
    ):
        console.print(
            f"{name}: {_span(ours, '.1%')} of what was bought in the last {TESTED.days} days was among the first "
            f"{2 * ITEMS}, of the most popular {_span(theirs, '.1%')}",
            style="dim",
        )


def _customers(rows: pd.DataFrame, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("customer", "value", "before", "in a year", "buys again", "may buy"):
        table.add_column(name, justify="right" if name in ("value", "before", "in a year") else "left")
    for row in rows.to_dict("records"):
        value = f"{row['value']:,.0f} [{row['value_low']:,.0f} to {row['value_high']:,.0f}]"
        items = ("; ".join(map(str, row[name][:3])) for name in ("again", "new"))
        amounts = (value, f"{row['value_before']:,.0f}", f"{row['value_1y']:,.0f}")
        table.add_row(escape(str(row["customer_id"])), *amounts, *map(escape, items))
    return table


def _span(one: Interval, form: str) -> str:
    return f"{one.value:{form}} [{one.low:{form}} to {one.high:{form}}]"
