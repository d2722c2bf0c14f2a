"""Channels that stand in the same journeys: no rule of credit can tell them apart, only a test can."""

from dataclasses import dataclass

import numpy as np

from models.evaluation.attribution.paths import PathSums

#: Share of the journeys with either channel that have both, from which they count as one.
ALIKE = 0.9


@dataclass(frozen=True)
class Inseparable:
    """Channels that cannot be told apart, the one to test first, and the smallest share of journeys that have both."""

    channels: tuple[str, ...]
    share: float

    @property
    def name(self) -> str:
        return " + ".join(self.channels)

    def __str__(self) -> str:
        first, *others = self.channels
        return (
            f"{first} and {', '.join(others)} cannot be told apart, test this one: {first}. At least {self.share:.0%} "
            "of the journeys with either have both, so any split of their credit would be arbitrary"
        )


def inseparable(sums: PathSums) -> list[Inseparable]:
    """Groups of channels of which each stands in the same journeys as another."""
    from scipy.sparse.csgraph import connected_components

    both = sums.whole.together[0]
    single = np.diag(both)
    either = single[:, None] + single[None, :] - both
    share = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    count, member = connected_components(share >= ALIKE, directed=False)
    groups = [np.flatnonzero(member == one) for one in range(count)]
    return [
        Inseparable(tuple(sums.channels[at] for at in group), float(share[np.ix_(group, group)].min()))
        for group in groups
        if len(group) > 1
    ]
