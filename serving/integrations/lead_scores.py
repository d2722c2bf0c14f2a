"""From scores of customers to changes of leads, and from segments to the members of lists.

Only what differs from what a platform was told last becomes a change, so that scoring every night writes only news.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from serving.integrations.change import Change, Doing, differing
from serving.integrations.ledger import KnownObject, WriteLedger
from serving.integrations.platform import Platform, capability

if TYPE_CHECKING:
    import pandas as pd

#: Most news at once: scores of everybody, sent by mistake, would make a lead of everybody.
MOST = 10_000
#: Platforms take reasons of 255 signs.
_SIGNS = 255
_COLUMNS = ("customer_id", "score", "reason")


def leads(scores: "pd.DataFrame", score: str, reasons: Sequence[str]) -> "pd.DataFrame":
    """Leads (`customer_id`, `score`, `reason`) from the scores that `adloop score` writes.

    Args:
        score: the column that is the score.
        reasons: columns that tell why, as people may read them: `risk_band: high, expected_days_to_churn: 41`.

    Customers without a score are left out. Raises `ValueError` naming a missing column.
    """
    import pandas as pd

    missing = [name for name in ("customer_id", score, *reasons) if name not in scores.columns]
    if missing:
        raise ValueError(f"scores: expected a column {missing[0]}, got {', '.join(scores.columns)}")
    scored = scores[scores[score].notna()]
    told = pd.Series("", index=scored.index)
    for name in reasons:
        told = told + (", " if name != reasons[0] else "") + f"{name}: " + scored[name].map(_shown)
    return pd.DataFrame(
        {
            "customer_id": scored["customer_id"].astype(str),
            "score": scored[score].astype(float).round(4),
            "reason": told.str.slice(0, _SIGNS),
        }
    )


def lead_changes(platform: Platform, ledger: WriteLedger, table: "pd.DataFrame", as_of: date, by: str) -> list[Change]:
    """Changes that score leads (columns `customer_id`, `score`, `reason`), of those whose score or reason is new.

    The same table of the same day gives the same changes, which a ledger takes once. Raises `ValueError` where a column
    is missing, a customer is there twice, the platform has no leads, or there is more news than `MOST`.
    """
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f"leads: expected a column {missing[0]}, got {', '.join(table.columns)}")
    twice = table.loc[table["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise ValueError(f"leads: customer_id: expected each customer once, got {twice.iloc[0]!r} twice")
    seen = sorted(ledger.known(*_where(platform), "lead"), key=lambda one: one.seen_at)
    known = {str(one.fields.get("customer_id")): one for one in seen}
    rows = table[list(_COLUMNS)].itertuples(index=False, name=None)
    wanted = {str(who): {"score": float(score), "reason": str(why)} for who, score, why in rows}
    news = {who: one for who, one in wanted.items() if who not in known or differing(one, known[who].fields)}
    if len(news) > MOST:
        raise ValueError(f"leads: expected at most {MOST} that are new, got {len(news)}; choose fewer customers")
    return [_scored(platform, known.get(who), who, one, as_of, by) for who, one in news.items()]


def _scored(
    platform: Platform, known: KnownObject | None, customer: str, fields: dict[str, Any], as_of: date, by: str
) -> Change:
    """An update of a lead that is known, so that what people did to it is seen and can be restored; else an upsert."""
    doing: Doing = "update" if known else "create"
    fields = fields if known else {"customer_id": customer, **fields}
    target = known.object_id if known else ""
    return _change(platform, ("lead", doing), (as_of, customer), fields, by, f"scored on {as_of}", target=target)


def member_changes(
    platform: Platform, ledger: WriteLedger, list_id: str, customers: Iterable[str], as_of: date, by: str
) -> list[Change]:
    """Changes that make a list hold these customers. Members that people added stay."""
    ours = ledger.written(*_where(platform), "list_member")
    there = {
        str(one.fields["customer_id"]): one.object_id
        for one in platform.objects("list_member")
        if one.parent == list_id and one.fields["status"] == "live"
    }
    wanted, what = set(customers), f"the segment of {as_of}"
    create, remove = ("list_member", "create"), ("list_member", "update")
    added = [
        _change(platform, create, (as_of, who), {"customer_id": who}, by, f"joined {what}", parent=list_id)
        for who in sorted(wanted - set(there))
    ]
    gone = [who for who in sorted(set(there) - wanted) if there[who] in ours]
    return added + [
        _change(platform, remove, (as_of, who), {"status": "removed"}, by, f"left {what}", target=there[who])
        for who in gone
    ]


def _change(
    platform: Platform,
    act: tuple[str, Doing],
    of: tuple[date, str],
    fields: dict[str, Any],
    by: str,
    reason: str,
    parent: str = "",
    target: str = "",
) -> Change:
    """A change whose id follows from all that it says. Raises `ValueError` where the platform cannot do it."""
    kind, doing = act
    said = hashlib.sha256(repr((*_where(platform), doing, sorted(fields.items()), parent, target)).encode())
    found = Change(
        f"{kind}:{of[0]}:{of[1]}:{said.hexdigest()[:12]}",
        *(*_where(platform), kind, doing, fields, reason, by),
        parent=parent,
        target=target,
    )
    capability(platform, found)
    return found


def _where(platform: Platform) -> tuple[str, str]:
    return platform.name, platform.account


def _shown(value: object) -> str:
    """A value as people read it."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
