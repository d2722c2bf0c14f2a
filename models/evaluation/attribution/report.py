"""Attribution as a whole: credit by rule, what tests measured, and the channels that nothing can tell apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.journeys import Journeys
from models.evaluation.attribution.collinear import Inseparable, inseparable
from models.evaluation.attribution.credit import ChannelCredit, credit
from models.evaluation.attribution.holdout import HoldoutLift
from models.evaluation.attribution.paths import path_sums
from models.evaluation.bootstrap import Interval


@dataclass(frozen=True)
class AttributedChannel:
    """A channel's credit, by rule and in the end.

    Attributes:
        measured: what its holdout measured, over all customers it reached; None for a channel without a holdout.
    """

    credit: ChannelCredit
    measured: Interval | None

    @property
    def value(self) -> Interval:
        """The measured value where there is one, else Shapley's credit, which is not known to be incremental."""
        return self.credit.shapley if self.measured is None else self.measured


@dataclass(frozen=True)
class Attribution:
    """Credit of all channels.

    Attributes:
        untouched: value of orders that no touch came before.
        alike: channels that cannot be told apart; each group is one channel here.
    """

    channels: tuple[AttributedChannel, ...]
    untouched: float
    alike: tuple[Inseparable, ...]
    journeys: int
    seed: int


def attribute(journeys: Journeys, lifts: Mapping[str, HoldoutLift], seed: int) -> Attribution:
    """Credit channels with the value of orders, scaled to what was measured.

    Args:
        lifts: by channel, the value that it adds a customer whom it reaches.

    Raises:
        ValueError: a lift is of a channel that touched nobody.
    """
    for channel in lifts:
        if channel not in journeys.reached:
            raise ValueError(f"holdout: expected a channel of {', '.join(journeys.reached)}, got {channel}")
    alike = inseparable(path_sums(journeys.counts))
    untested = [one for one in alike if not set(one.channels) & set(lifts)]
    sums = path_sums(journeys.counts, {channel: one.name for one in untested for channel in one.channels})
    channels = tuple(
        AttributedChannel(one, lifts[one.channel].over(journeys.reached[one.channel]) if one.channel in lifts else None)
        for one in credit(sums, seed)
    )
    return Attribution(
        channels, float(sums.untouched.sum()), tuple(untested), int(journeys.counts["journeys"].sum()), seed
    )
