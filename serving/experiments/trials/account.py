"""All experiments of an account together: effects corrected for the winner's curse, and what was gained in all."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from serving.experiments.trials.findings import EffectFinding, Findings
from serving.experiments.trials.winners_curse import Corrected, Shrinkage, learnt

#: Days of a month.
MONTH = 30


@dataclass(frozen=True)
class Gain:
    """Outcomes more in 30 days than with the control, of all units that an experiment sees, with the 95% interval."""

    metric: str
    experiments: int
    raw: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SupportedBudget:
    """What the spend a day may become at the same cost of an outcome: by the corrected effect, and by the raw one."""

    now: float
    corrected: float
    raw: float


def spread(found: Sequence[Findings]) -> Shrinkage:
    """What all effects of the account teach about the size of effects. The same seen twice counts once."""
    effects = [one for findings in found for one in findings.effects if one.error > 0]
    return learnt([one.value for one in effects], [one.error for one in effects])


def corrected(effect: EffectFinding, account: Shrinkage) -> Corrected:
    """The effect that is to be expected from now on."""
    return account.correct(effect.value, effect.error)


def gain(findings: Findings, account: Shrinkage) -> Gain | None:
    """What the shipped arm brings; None where none is shipped."""
    shipped, control = findings.shipped, findings.arms[0].mean
    if shipped is None or control is None:
        return None
    better, outcomes = corrected(shipped, account), control * findings.per_day * MONTH
    return Gain(
        metric=findings.metric,
        experiments=1,
        raw=shipped.value * outcomes,
        value=better.value * outcomes,
        low=better.low * outcomes,
        high=better.high * outcomes,
    )


def cumulative(found: Sequence[Findings], account: Shrinkage) -> list[Gain]:
    """The gains of all shipped arms added up, by metric; their errors are independent."""
    gains = [one for findings in found if (one := gain(findings, account)) is not None]
    return [_added([one for one in gains if one.metric == metric]) for metric in sorted({one.metric for one in gains})]


def _added(gains: Sequence[Gain]) -> Gain:
    value = sum(one.value for one in gains)
    half = hypot(*((one.high - one.low) / 2 for one in gains))
    return Gain(gains[0].metric, len(gains), sum(one.raw for one in gains), value, value - half, value + half)


def budget(findings: Findings, account: Shrinkage) -> SupportedBudget | None:
    """What the shipped arm lets the spend become; None without one, or where the data tell no spend."""
    shipped = findings.shipped
    if shipped is None or findings.spend is None:
        return None
    now = findings.spend
    return SupportedBudget(now, now * (1 + corrected(shipped, account).value), now * (1 + shipped.value))
