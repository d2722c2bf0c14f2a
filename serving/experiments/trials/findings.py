"""What is found of an experiment as of a day: `status` prints it, the report draws it, corrections learn from it."""

from dataclasses import dataclass

from serving.experiments.trials.sample_ratio import SampleRatio
from serving.experiments.trials.verdict import GuardEffect, TrialVerdict


@dataclass(frozen=True)
class ArmFinding:
    """One arm. While results are withheld, and with a sample ratio mismatch, only `units` and `share` are told.

    Attributes:
        mean: of the metric for each unit (adjusted by CUPED where there is a covariate), with its standard error.
        best: probability to be the best arm; `loss` is expected for each unit if it is chosen.
    """

    name: str
    share: float
    units: float
    total: float | None = None
    mean: float | None = None
    error: float | None = None
    best: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class EffectFinding:
    """The relative effect of a treated arm on the control.

    Attributes:
        low, high: bounds that hold at all times together; `error` is the standard error of `value`.
        equivalent: probability that the effect does not matter.
        trend: change of the effect a day, beyond the season that both arms share, with its 95% interval: fatigue where
            it is below 0. None with too few days.
    """

    arm: str
    value: float
    error: float
    low: float
    high: float
    equivalent: float
    trend: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class DailyFinding:
    """After one day. All but `units` is empty while results are withheld.

    Attributes:
        units: counted until then, by arm.
        effect, low, high: of the treated arms, with the bounds; `recent` is the effect of the last seven days alone.
        best: probability of each arm to be the best.
        regret: outcomes lost until then by showing other arms than the best, as far as is known today.
    """

    day: str
    units: tuple[float, ...]
    effect: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    recent: tuple[float, ...] = ()
    best: tuple[float, ...] = ()
    regret: float | None = None


@dataclass(frozen=True)
class Findings:
    """An experiment as of a day.

    Attributes:
        planned: whether it was planned here, and not only found in the data.
        as_of: the last day whose outcomes are known; `waited` days of exposures before it are not counted yet.
        needed, days: the plan, grown where the first week called for it (`resized`).
        saved: share of the variance that CUPED took away.
        per_day: mean units a day; `spend` a day, where the data tell it.
        personal: what a personal choice of the arm would add, in words; empty where it was not tried.
    """

    name: str
    metric: str
    planned: bool
    state: str
    as_of: str
    waited: int
    needed: int
    days: int
    resized: bool
    verdict: TrialVerdict
    ratio: SampleRatio
    arms: tuple[ArmFinding, ...]
    effects: tuple[EffectFinding, ...]
    guards: tuple[GuardEffect, ...]
    daily: tuple[DailyFinding, ...]
    saved: float
    per_day: float
    spend: float | None = None
    personal: str = ""

    @property
    def shipped(self) -> EffectFinding | None:
        """The effect of the arm that the verdict ships."""
        chosen = self.verdict.arm if self.verdict.word == "ship" else None
        return next((one for one in self.effects if one.arm == chosen), None)
