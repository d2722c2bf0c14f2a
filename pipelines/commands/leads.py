"""Subcommands that bring scores of customers to a CRM: scores of leads with their reasons, and members of lists."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from features.settings import Settings
from pipelines.commands.platforms import BY
from serving.integrations.catalog import NAMES

if TYPE_CHECKING:
    import pandas as pd

    from serving.integrations.change import Change
    from serving.integrations.ledger import WriteLedger
    from serving.integrations.platform import Platform

CRM = click.Choice([name for name in NAMES if name in ("hubspot", "salesforce")])
SCORES = click.option(
    "--scores", type=click.Path(exists=True), required=True, help="What `adloop score FAMILY --out DIR` wrote."
)
SCORE = click.option("--score", "column", required=True, help="The column that is the score, as churn_probability.")


@click.group()
def leads() -> None:
    """Bring scores of customers to Salesforce or HubSpot.

    \b
    adloop score churn --data DIR --out scores
    adloop leads score salesforce --scores scores --score churn_probability --reason risk_band
    adloop leads list hubspot 42 --scores scores --score churn_probability --least 0.7
    adloop apply --dry-run; adloop apply

    Only what changed since the last time is wanted. Owners and all other fields stay as they are; of a lead that was
    converted meanwhile the contact is scored.
    """


@leads.command("score")
@click.argument("platform", type=CRM)
@SCORES
@SCORE
@click.option("--reason", "reasons", multiple=True, required=True, help="A column that says why; repeatable.")
@BY
def score_leads(platform: str, scores: str, column: str, reasons: tuple[str, ...], by: str) -> None:
    """Want each customer's score and its reason at PLATFORM."""
    from serving.integrations import lead_scores

    table = lead_scores.leads(_read(scores), column, reasons)
    today = datetime.now(UTC).date()
    _intend(platform, lambda account, ledger: lead_scores.lead_changes(account, ledger, table, today, by))


@leads.command("list")
@click.argument("platform", type=CRM)
@click.argument("list_id")
@SCORES
@SCORE
@click.option("--least", type=float, required=True, help="Customers of this score or more are in the list.")
@BY
def list_leads(platform: str, list_id: str, scores: str, column: str, least: float, by: str) -> None:
    """Want the list LIST_ID of PLATFORM to hold the customers with a score of --least or more.

    Members that people added stay. Of ours, those whose score fell leave.
    """
    from serving.integrations import lead_scores

    table = lead_scores.leads(_read(scores), column, (column,))
    members = table.loc[table["score"] >= least, "customer_id"].tolist()
    today = datetime.now(UTC).date()
    _intend(platform, lambda account, ledger: lead_scores.member_changes(account, ledger, list_id, members, today, by))


def _read(scores: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(scores)


def _intend(name: str, wanted: "Callable[[Platform, WriteLedger], Iterable[Change]]") -> None:
    import time

    from pipelines import platforms

    with platforms.opened(name) as (account,), platforms.ledger(Settings()) as ledger:
        new = ledger.intend(wanted(account, ledger), time.time())
    click.echo(f"{name}: {len(new)} changes are wanted; adloop apply {name} brings them there")
