"""Change-rate limits: few changes of an object in an hour and a day, none larger than a step, all of a day bounded."""

import math

from serving.campaigns.safety.guard import MONEY, Guarded
from serving.integrations.change import Change, LedgerEntry

HOUR, DAY = 3600.0, 86_400.0
#: Rounding of amounts to cents does not make a step too large.
ROUNDING = 1e-3


def rates(change: Change, known: Guarded) -> str | None:
    """Why a change of an existing object waits.

    A pause or a removal never does, nor does taking a change back, nor what people approved in a plan.
    """
    if change.doing != "update" or change.undoes or known.launching(change) is not None:
        return None
    if not set(change.fields) - {"status", "name"}:
        return None
    bounds, done = known.policy.bounds, _done(change, known)
    for most, span, name in ((bounds.an_hour, HOUR, "hour"), (bounds.a_day, DAY, "day")):
        last = [one for one in done if one.sent_at > known.now() - span]
        if len(last) >= most:
            return f"{len(last)} changes of this {change.object} in the last {name}, at most {most}"
    return _steps(change, known, [one for one in done if one.sent_at > known.now() - DAY])


def step_of(change: Change, known: Guarded) -> float:
    """The largest share of a step: of the campaign's plan where that is smaller than the policy's."""
    version = known.version(change)
    planned = version.plan.limits.step if version is not None else None
    return min(known.policy.bounds.step, planned or 1.0)


def _steps(change: Change, known: Guarded, today: list[LedgerEntry]) -> str | None:
    shown, step, day = known.shown(change), step_of(change, known), known.policy.bounds.day
    for name in set(MONEY) & set(change.fields):
        before, after = float(shown.get(name) or 0.0), float(change.fields[name])
        if before <= 0:
            continue
        share = abs(after / before - 1)
        if share > step + ROUNDING:
            return f"{name} from {before:g} to {after:g}: a step of {share:.0%}, at most {step:.0%} at once"
        earlier = [one.before.get(name) for one in today if name in one.change.fields]
        first = float(next((one for one in earlier if one), before))
        if after > 0 and abs(math.log(after / first)) > math.log1p(day) + ROUNDING:
            return f"{name} from {first:g} to {after:g} within a day, at most {day:.0%}"
    return None


def _done(change: Change, known: Guarded) -> list[LedgerEntry]:
    """Changes of the object that have left, in order, but for those of its status."""
    entries = known.ledger.entries(
        "platform = ? AND account = ? AND object_id = ? AND sent_at > ? AND change_id != ?",
        *(change.platform, change.account, change.target, known.now() - DAY, change.change_id),
    )
    return [
        one
        for one in entries
        if one.change.object == change.object and one.change.doing == "update" and set(one.change.fields) - {"status"}
    ]
