"""From figures to one word: what to do with an experiment, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from serving.experiments.trials.experiment import WEEK, Experiment
from serving.experiments.trials.posterior import Posterior
from serving.experiments.trials.sample_ratio import SampleRatio

Word = Literal["withheld", "sample ratio mismatch", "running", "ship", "keep", "equivalent", "guardrail broken"]
#: Of no arm.
NOTHING = Posterior((), (), ())
#: Outcomes (or units without) that each arm needs before a normal approximation is used.
FEWEST = 25
#: ControlOutcome loss that a choice may have, as a share of the region of equivalence.
LOSS = 0.1


@dataclass(frozen=True)
class Effect:
    """The relative effect of a treated arm, with the bounds that hold at all times together."""

    arm: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GuardEffect:
    """The relative change of a guarded metric in a treated arm; `broken` if worse than tolerated, beyond noise.

    `value`, `low` and `high` are None with too few outcomes; `high` alone where the control may be zero.
    """

    metric: str
    arm: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    broken: bool = False


@dataclass(frozen=True)
class Standing:
    """What is known today.

    Attributes:
        days: full days of exposures whose outcomes were waited for; `units` in them.
        outcomes: by arm, the metric's total (units, where it is no rate); this and what follows is empty in the first
            week.
        control: the control's mean.
        at_plan: whether the planned size was reached; `stopped`: whether there will be no more units.
    """

    days: int
    ratio: SampleRatio
    guards: Sequence[GuardEffect] = ()
    units: float = 0.0
    outcomes: Sequence[float] = ()
    control: float = 0.0
    effects: Sequence[Effect] = ()
    posterior: Posterior = NOTHING
    at_plan: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class TrialVerdict:
    """A word, the arm it is about, and the reason as text. `decided` verdicts end the experiment."""

    word: Word
    arm: str | None
    reason: str

    @property
    def decided(self) -> bool:
        return self.word not in ("withheld", "running")

    def __str__(self) -> str:
        return f"{self.word} {self.arm}" if self.word in ("ship", "keep") else self.word


def verdict(experiment: Experiment, now: Standing) -> TrialVerdict:
    """Judge an experiment. The first that applies: wrong shares, a broken guardrail, too early, an effect, none."""
    return _blocked(experiment, now) or _early(now) or _shown(experiment, now) or _ended(experiment, now)


def _blocked(experiment: Experiment, now: Standing) -> TrialVerdict | None:
    if now.ratio.mismatch:
        return TrialVerdict("sample ratio mismatch", None, mismatch(experiment, now.ratio))
    broken = [one for one in now.guards if one.broken]
    if broken:
        told = "; ".join(guarded(one) for one in broken)
        return TrialVerdict("guardrail broken", broken[0].arm, f"{told}: stop it and keep {experiment.names[0]}")
    return None


def guarded(one: GuardEffect) -> str:
    """A guarded metric in words."""
    if one.value is None:
        return f"{one.metric} in {one.arm}: too few outcomes yet"
    most = "any" if one.high is None else f"{one.high:+.1%}"
    return f"{one.metric} in {one.arm}: {one.value:+.1%} ({one.low:+.1%} to {most})"


def mismatch(experiment: Experiment, ratio: SampleRatio) -> str:
    """A mismatch in words."""
    seen = " against ".join(f"{count:,.0f}" for count in ratio.units)
    planned = " to ".join(f"{share:.3g}" for share in experiment.shares)
    return (
        f"by day {ratio.day} the arms {', '.join(experiment.names)} had {seen} units where {planned} was planned: chi2 "
        f"{ratio.chi2:.2f}, p {ratio.p_value:.2g}. Units get lost or are assigned wrongly in one arm: "
        "no effect can be read from it. Mend that and start anew"
    )


def _early(now: Standing) -> TrialVerdict | None:
    if now.days < WEEK:
        return TrialVerdict(
            "withheld", None, f"{now.days} of the first {WEEK} full days: weekdays differ, so results are not shown yet"
        )
    if min(now.outcomes) < FEWEST:
        return TrialVerdict("running", None, f"too few outcomes: {min(now.outcomes):.0f} in one arm, of {FEWEST}")
    return None


def _shown(experiment: Experiment, now: Standing) -> TrialVerdict | None:
    near = [one for one in now.effects if -experiment.equivalence < one.low and one.high < experiment.equivalence]
    if len(near) == len(now.effects):
        told = "; ".join(f"{one.arm} {_bounds(one)}" for one in near)
        reason = f"all effects lie within ±{experiment.equivalence:.1%} of {experiment.names[0]}: {told}"
        return TrialVerdict("equivalent", None, f"{reason}. Take the cheaper one")
    better = [one for one in now.effects if one.low > 0 and one not in near]
    if better:
        return _best(experiment, now, better)
    if all(one.high < 0 or one in near for one in now.effects):
        told = "; ".join(f"{one.arm} {one.value:+.1%} ({_bounds(one)})" for one in now.effects)
        return TrialVerdict("keep", experiment.names[0], f"no arm is better: {told}")
    return None


def _best(experiment: Experiment, now: Standing, better: Sequence[Effect]) -> TrialVerdict | None:
    """The better arm with the least expected loss, once that loss is small or the planned size is reached."""
    losses = dict(zip(experiment.names, now.posterior.loss, strict=True))
    first = min(better, key=lambda one: losses[one.arm])
    chance = dict(zip(experiment.names, now.posterior.best, strict=True))[first.arm]
    told = (
        f"{first.arm} {first.value:+.1%} ({_bounds(first)}), best with probability {chance:.1%}, expected loss "
        f"{losses[first.arm] / now.control:.2%} of {experiment.names[0]}"
    )
    if losses[first.arm] <= LOSS * experiment.equivalence * now.control or now.at_plan or now.stopped:
        return TrialVerdict("ship", first.arm, told)
    others = ", ".join(arm for arm, loss in losses.items() if arm not in (first.arm, experiment.names[0]))
    return TrialVerdict("running", first.arm, f"{told}: better than {experiment.names[0]}, but {others} may be best")


def _ended(experiment: Experiment, now: Standing) -> TrialVerdict:
    told = "; ".join(f"{one.arm} {one.value:+.1%} ({_bounds(one)})" for one in now.effects)
    if now.at_plan:
        reason = f"the planned size was reached and no effect was shown: {told}. It may run on, or end here"
        return TrialVerdict("keep", experiment.names[0], reason)
    if now.stopped:
        reason = f"stopped at {now.units:,.0f} of {experiment.needed:,} units, and no effect was shown: {told}"
        return TrialVerdict("keep", experiment.names[0], reason)
    return TrialVerdict(
        "running",
        None,
        f"{now.units:,.0f} of {experiment.needed:,} units, {now.days} of {experiment.days} days: {told}",
    )


def _bounds(one: Effect) -> str:
    return f"{one.low:+.1%} to {one.high:+.1%}"
