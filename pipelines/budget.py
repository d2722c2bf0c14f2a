"""`adloop budget`: sets limits, and shows limits, spend, holds, stops and overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from serving.decisions.api import requests
from serving.decisions.state.store import Store

#: Budget field by option.
_FIELDS = {"daily": "daily_limit", "total": "limit", "target-cpc": "target_cpc"}


def changes(options: Mapping[str, float | None], removed: Sequence[str]) -> dict[str, float | None]:
    """Changes by field; None removes a limit. Raises `ValueError` where an option is both set and removed."""
    for name in removed:
        if options[name] is not None:
            raise ValueError(f"--{name}: expected either a value or --remove {name}")
    named = {_FIELDS[name]: value for name, value in options.items() if value is not None}
    return named | dict.fromkeys((_FIELDS[name] for name in removed), None)


def change(store: Store, account: str, campaign: str | None, options: Mapping[str, float | None]) -> None:
    """Set these limits; others stay. Raises `requests.Invalid`."""
    if campaign is None:
        store.limit(**requests.ACCOUNT.read({"account_id": account, **options}))
    else:
        terms = requests.CAMPAIGN.read({"account_id": account, "campaign_id": campaign, **options})
        store.configure(account, campaign, requests.campaign_settings(terms))


def of(store: Store, account: str | None = None, campaign: str | None = None) -> dict[str, Any]:
    """Budgets of a campaign and its account, of an account and its campaigns, or of all accounts."""
    found = store.budgets(account)
    shown = [one for one in found if campaign is None or one.campaign_id in (None, campaign)]
    return {"killed": store.stopped(), "budgets": [{**asdict(one), "left": one.spend.left} for one in shown]}


def as_table(found: Mapping[str, Any]) -> str:
    """The budgets as text for the terminal, or a hint where none is set."""
    if not found["budgets"] and found["killed"] is None:
        return "no budget is set: adloop budget ACCOUNT CAMPAIGN --daily 50"
    from rich.table import Table
    from rich.text import Text

    from pipelines.console import console

    table = Table(
        "account", "campaign", "daily", "total", "target CPC", "spent today", "spent", "held", "left", "status"
    )
    for one in found["budgets"]:
        spend = one["spend"]
        money = [spend["daily_limit"], spend["limit"], one["target_cpc"]]
        money += [spend["today"], spend["total"], spend["reserved"] + spend["reserved_before"], one["left"]]
        cells = [
            one["account_id"],
            one["campaign_id"] or "all",
            *("-" if cell is None else f"{cell:g}" for cell in money),
        ]
        table.add_row(*(Text(cell) for cell in [*cells, _status(one)]))
    output = console()
    with output.capture() as captured:
        if found["killed"] is not None:
            output.print(Text(f"everything is stopped: {found['killed']}"))
        output.print(table)
    return captured.get().rstrip("\n")


def _status(one: Mapping[str, Any]) -> str:
    """Manual stops and overrides, else `runs`."""
    word = one["override"]
    bid = "the baseline bids" if word and word["bid"] is None else f"bid {word['bid']:g}" if word else ""
    states = [f"stopped: {one['killed']}"] if one["killed"] else []
    states += [f"override by {word['by']}, {bid}: {word['why']}"] if word else []
    return "; ".join(states) or "runs"
