"""Looks at an account's rules now, and intends what they want in the write ledger, once for each half hour."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import httpx

from features import ad_days
from features.certificates import trusted
from features.tables import Tables
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.grammar import RuleFile
from serving.campaigns.rules.look import Evaluation
from serving.campaigns.rules.objects import AccountView, known, view
from serving.campaigns.rules.store import RuleStore
from serving.decisions.params import DecisionParams
from serving.integrations.ledger import Happening, WriteLedger

#: Seconds that an endpoint may take to answer a ping.
PING_S = 10.0


def run(
    file: RuleFile,
    tables: Tables,
    ledger: WriteLedger,
    store: RuleStore,
    at: float,
    params: DecisionParams | None = None,
    dry_run: bool = False,
) -> Evaluation:
    """Look at the rules that are due and were not looked at yet.

    Args:
        at: now, in Unix seconds.
        dry_run: write nothing and tell nobody.

    Raises `ValueError` where yesterday's counts are missing: days without counts would look like days without ads.
    """
    now = datetime.fromtimestamp(at, UTC).astimezone(file.zone)
    if not dry_run:
        _intend(ledger, store, at)
    account = view(known(ledger, file.account.platform, file.account.id), ad_days.read(tables, file.account.zone))
    _fresh(file, account, ledger, now)
    found = evaluate(file, account, store.memory(now), now, store.seen(due(file, now)), params)
    if dry_run:
        return found
    store.write(found, at)
    _intend(ledger, store, at)
    _note(file, found, ledger, at)
    _ping(file, found, ledger, at)
    return found


def _fresh(file: RuleFile, account: AccountView, ledger: WriteLedger, now: datetime) -> None:
    yesterday = now.date() - timedelta(days=1)
    read = ledger.read_at(file.account.platform, file.account.id, yesterday.isoformat())
    last = account.histories["account"].end - timedelta(days=1)
    if not read and last < yesterday:
        raise ValueError(
            f"{file.account.platform} {file.account.id}: expected counts of {yesterday}, the last are of {last}; run "
            f"adloop sync {file.account.platform} first"
        )


def _intend(ledger: WriteLedger, store: RuleStore, at: float) -> None:
    ledger.intend(store.to_intend(), at)
    store.intended()


def _note(file: RuleFile, found: Evaluation, ledger: WriteLedger, at: float) -> None:
    """Tell people on the time line."""
    account = file.account
    for text, verdict in found.notices:
        told = f"{text}: {verdict.why}"
        who = f"rule {verdict.rule}"
        ledger.note(Happening(at, who, "found", account.platform, account.id, *verdict.place, detail=told))


def _ping(file: RuleFile, found: Evaluation, ledger: WriteLedger, at: float) -> None:
    """Tell endpoints. One that fails is told on the time line, and keeps no other from being told."""
    account = file.account
    for url, verdict in found.pings:
        try:
            told = asdict(verdict) | {"account": account.id}
            httpx.post(url, json=told, timeout=PING_S, verify=trusted()).raise_for_status()
        except httpx.HTTPError as fault:
            host, who = httpx.URL(url).host, f"rule {verdict.rule}"
            detail = f"ping of {host} failed: {type(fault).__name__}"
            ledger.note(Happening(at, who, "ping failed", account.platform, account.id, *verdict.place, detail=detail))
