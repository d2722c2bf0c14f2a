"""A rollout by steps, which stops and steps back where a guardrail tells that the feature does harm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from serving.integrations.change import Change

#: Shares of a rollout, in percent.
STEPS = (0.0, 1.0, 5.0, 20.0, 50.0, 100.0)
#: Chance to take a harmless feature for harmful at one look. Rollouts are looked at often.
FALSE_ALARM = 1e-3
#: Chance to take a harmful feature for harmless before a step up.
MISSED = 0.05


@dataclass(frozen=True, slots=True)
class PeopleCount:
    """People of one side of a rollout, and to how many of them the guarded harm came: an error, a refund, a leaving."""

    people: int
    harmed: int

    def __post_init__(self) -> None:
        if not 0 <= self.harmed <= self.people:
            raise ValueError(f"harmed: expected 0 to {self.people}, got {self.harmed}")


@dataclass(frozen=True, slots=True)
class RolloutVerdict:
    """Attributes:
    percentage: the share to set.
    reason: with the difference in harm and its bounds.
    """

    decision: Literal["go on", "wait", "step back"]
    percentage: float
    reason: str


def judge(
    percentage: float, feature: PeopleCount, others: PeopleCount, tolerance: float, steps: Sequence[float] = STEPS
) -> RolloutVerdict:
    """The next share of a rollout that stands at `percentage`.

    Steps back where harm with the feature is surely above that without it by more than `tolerance` (a difference of
    shares, such as .005); goes on only where it surely is not; else waits for more people. Bounds are Agresti and
    Caffo's, one-sided.
    """
    low, high = _bound(feature, others, FALSE_ALARM, -1), _bound(feature, others, MISSED, 1)
    more = feature.harmed / max(feature.people, 1) - others.harmed / max(others.people, 1)
    told = f"harm {more:+.2%}, between {low:+.2%} and {high:+.2%}, tolerated {tolerance:+.2%}"
    if low > tolerance:
        return RolloutVerdict("step back", max([one for one in steps if one < percentage], default=0.0), told)
    if high < tolerance and percentage < max(steps):
        return RolloutVerdict("go on", min(one for one in steps if one > percentage), told)
    return RolloutVerdict("wait", percentage, told)


def change(verdict: RolloutVerdict, project: str, flag: str, day: date, by: str) -> Change | None:
    """The change of the flag that the verdict asks for, once a day; None where it waits.

    The step back to nothing pauses the flag too, so that no client's cache keeps the feature on.
    """
    if verdict.decision == "wait":
        return None
    stopped = {"status": "paused"} if verdict.percentage == 0 else {}
    return Change(
        change_id=f"rollout:{flag}:{day}:{verdict.percentage:g}",
        platform="posthog",
        account=project,
        object="rollout",
        doing="update",
        target=flag,
        fields={"percentage": verdict.percentage, **stopped},
        reason=f"{verdict.decision}: {verdict.reason}",
        by=by,
    )


def _bound(feature: PeopleCount, others: PeopleCount, chance: float, side: int) -> float:
    """A one-sided bound of the difference in harm."""
    from scipy.special import ndtri

    shares = [(one.harmed + 1) / (one.people + 2) for one in (feature, others)]
    spread = sum(share * (1 - share) / (one.people + 2) for share, one in zip(shares, (feature, others), strict=True))
    return float(shares[0] - shares[1] - side * ndtri(chance) * spread**0.5)
