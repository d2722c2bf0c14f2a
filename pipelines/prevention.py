"""`adloop prevent`: plans kept in the home, what came of them, and both as tables and JSON."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.after import after
from features.settings import Settings
from features.tables import Tables
from models.evaluation.attribution.holdout import HELD_OUT
from models.evaluation.bootstrap import Interval
from models.uplift.x_learner import FEWEST, UpliftModel, fit
from pipelines.customer_scores import ScoredCustomers, features_at
from pipelines.plain_json import plain_json
from serving.campaigns.customers.effect import PreventionEffect
from serving.campaigns.customers.interventions import PreventionPolicy
from serving.campaigns.customers.prevention import HOLDOUT, planned, triggered


@dataclass(frozen=True)
class PreventionPlan:
    """A plan, and what it was made of."""

    rows: pd.DataFrame
    at: pd.Timestamp
    customers: int
    versions: Mapping[str, str]
    trust: Mapping[str, float]


def folder(settings: Settings) -> Path:
    return settings.home / "prevention"


def past(tables: Tables, days: int, settings: Settings) -> pd.DataFrame:
    """Rows of all kept plans whose outcome the tables tell: columns of plans, `bought` and `stayed`."""
    plans = [pd.read_parquet(file) for file in _files(settings)]
    if not plans:
        return pd.DataFrame(columns=["intervention", "arm", "bought", "stayed"])
    return after(tables, pd.concat(plans, ignore_index=True), days)


def experiments(given: Sequence[str], tables: Tables, policy: PreventionPolicy) -> pd.DataFrame:
    """Randomised interventions in the table exposures, as rows of a plan, from `INTERVENTION=EXPERIMENT`.

    Raises `ValueError` naming the option.
    """
    from features.experiments import units

    found = []
    for one in given:
        name, _, experiment = one.partition("=")
        if name not in policy.interventions or not experiment:
            there = ", ".join(policy.interventions)
            raise ValueError(f"--experiment: expected INTERVENTION=EXPERIMENT, with one of {there}, got '{one}'")
        if "exposures" not in tables.names:
            raise ValueError(f"--experiment {one}: expected the table exposures, got no such table")
        rows = units(tables, experiment)
        if rows.empty:
            raise LookupError(f"table 'exposures': no experiment {experiment}")
        held = rows["arm"].str.lower().isin(HELD_OUT)
        found.append(
            pd.DataFrame(
                {
                    "customer_id": rows["unit_id"],
                    "occurred_at": rows["occurred_at"],
                    "intervention": name,
                    "arm": held.map({True: HOLDOUT, False: name}),
                }
            )
        )
    if not found:
        return pd.DataFrame(columns=["intervention", "arm"])
    return after(tables, pd.concat(found, ignore_index=True), policy.horizon_days)


def learnt(tried: pd.DataFrame, tables: Tables, seed: int, settings: Settings) -> dict[str, UpliftModel]:
    """An uplift model of each intervention that enough customers got, and were held out from, by chance."""
    models = {}
    for name, rows in tried.groupby("intervention"):
        acted = rows["arm"] != HOLDOUT
        if min(acted.sum(), (~acted).sum()) < FEWEST:
            continue
        given = rows.reset_index(drop=True)
        models[str(name)] = fit(features_at(tables, given, settings), given["arm"] != HOLDOUT, given["bought"], seed)
    return models


def plan(
    found: ScoredCustomers, models: Mapping[str, UpliftModel], policy: PreventionPolicy, settings: Settings
) -> PreventionPlan:
    """Whom to keep, by what. Customers of a plan whose days are not over are left alone, as its effect is measured."""
    uplift = {
        name: pd.Series(model.predict(found.features), index=found.customers.index) for name, model in models.items()
    }
    calling = triggered(_free(found, policy.horizon_days, settings), policy)
    rows = planned(_recommended(calling, found), uplift, policy, found.at)
    trust = {name: model.trust for name, model in models.items()}
    versions = {one.family: one.version for one in found.champions.values()}
    return PreventionPlan(rows, found.at, len(found.customers), versions, trust)


def _recommended(calling: pd.DataFrame, found: ScoredCustomers) -> pd.DataFrame:
    """The customers with what the churn model recommends; where the risk is low, contact, as use has declined."""
    if calling.empty:
        return calling.assign(recommended="")
    told = found.champions["risk"].explain(found.features.loc[calling.index])["intervention"].astype(str)
    return calling.assign(recommended=told.where(told != "none", "communication_optimization"))


def _free(found: ScoredCustomers, days: int, settings: Settings) -> pd.DataFrame:
    begins = found.at - pd.Timedelta(days=days)
    running = [rows.loc[rows["occurred_at"] > begins, "customer_id"] for rows in map(pd.read_parquet, _files(settings))]
    return found.customers[~found.customers["customer_id"].isin(set().union(*running))]


def _files(settings: Settings) -> list[Path]:
    """The kept plans, oldest first."""
    return sorted(folder(settings).glob("*.parquet"))


def keep(done: PreventionPlan, settings: Settings) -> Path:
    """Keep a plan, whole or not at all. Raises `ValueError` where there is one of its day: customers keep their arm."""
    target = folder(settings) / f"{done.at.date()}.parquet"
    if target.exists():
        raise ValueError(f"{target}: expected no plan of this day, got one; its customers keep what it says")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    done.rows.to_parquet(aside, index=False)
    aside.replace(target)
    return target


def plan_json(done: PreventionPlan) -> str:
    """A plan as JSON."""
    rows = done.rows.assign(occurred_at=done.rows["occurred_at"].astype(str)).to_dict("records")
    about = {
        "at": str(done.at),
        "customers": done.customers,
        "versions": dict(done.versions),
        "trust": dict(done.trust),
    }
    return plain_json(about | {"plan": rows})


def show_plan(done: PreventionPlan, console: Console) -> None:
    """Print a row an intervention and evidence, then the first customers."""
    rows, acted = done.rows, done.rows["arm"] != HOLDOUT
    table = Table(title=f"prevention on {done.at.date()}, {done.customers:,} customers", title_justify="left")
    for name in ("intervention", "evidence"):
        table.add_column(name)
    for name in ("customers", "held out", "at stake", "expected saved", "cost"):
        table.add_column(name, justify="right")
    for (intervention, evidence), part in rows.groupby(["intervention", "evidence"]):
        gets = acted[part.index]
        sums = [part["at_stake"].sum(), part.loc[gets, "saved"].sum(), part.loc[gets, "cost"].sum()]
        counts = [f"{gets.sum():,}", f"{(~gets).sum():,}"]
        table.add_row(escape(str(intervention)), str(evidence), *counts, *(f"{one:,.0f}" for one in sums))
    console.print(table if len(rows) else "no customer calls for an intervention that is worth its cost")
    for row in rows.head(5).to_dict("records"):
        console.print(escape(f"{row['customer_id']}: {row['reason']}"), style="dim", soft_wrap=True)
    for name, trust in done.trust.items():
        console.print(f"{escape(name)}: {trust:.0%} of predicted differences between customers are real", style="dim")


def effect_json(found: Sequence[PreventionEffect]) -> str:
    """Effects as JSON."""
    return plain_json([asdict(one) for one in found])


def show_effect(found: Sequence[PreventionEffect], console: Console) -> None:
    """Print a row an intervention."""
    table = Table(title="what interventions changed, from the customers held out", title_justify="left")
    table.add_column("intervention")
    for name in ("customers", "held out", "stayed more", "value a customer", "saved", "cost", "ROI"):
        table.add_column(name, justify="right")
    for one in found:
        roi = "-" if one.roi is None else _span(one.roi, ".1f")
        spans = [_span(one.retention, ".1%"), _span(one.value, ",.2f"), _span(one.saved, ",.0f")]
        counts = [f"{one.customers:,}", f"{one.held_out:,}"]
        table.add_row(escape(one.intervention), *counts, *spans, f"{one.cost:,.0f}", roi)
    console.print(table)


def _span(one: Interval, form: str) -> str:
    return f"{one.value:{form}} [{one.low:{form}} to {one.high:{form}}]"
