"""The serving models: each family's champion, and during a release its canary for a share of the opportunities."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from serving.decisions.case import uniform
from serving.decisions.kinds import kinds
from serving.decisions.predict.predictor import Predictor
from serving.decisions.predict.predictors import Predictors
from serving.decisions.records import Opportunity

_NOBODY = frozenset[str]()


@dataclass(frozen=True)
class Canary:
    """A version that answers `weight` percent of the opportunities."""

    predictor: Predictor
    weight: int


class ActiveModels:
    """An immutable set of serving models, replaced as a whole between batches."""

    def __init__(self, champions: Mapping[str, Predictor], canaries: Mapping[str, Canary]) -> None:
        self.champions, self.canaries = champions, canaries
        together = chain.from_iterable(combinations(canaries, count) for count in range(len(canaries) + 1))
        self._predictors = {frozenset(those): self._made(those) for those in together}

    def answering(self, family: str) -> list[Predictor]:
        """Serving versions of a family."""
        canary = [self.canaries[family].predictor] if family in self.canaries else []
        return [*canary, *([self.champions[family]] if family in self.champions else [])]

    @property
    def shares(self) -> dict[tuple[str, str], float]:
        """Share of the opportunities by family and version."""
        canaries = {(family, one.predictor.version): one.weight / 100 for family, one in self.canaries.items()}
        rest = {family: 1 - one.weight / 100 for family, one in self.canaries.items()}
        return {**{(family, one.version): rest.get(family, 1.0) for family, one in self.champions.items()}, **canaries}

    def parts(self, opportunities: Sequence[Opportunity], seed: int) -> Iterator[tuple[Predictors, Sequence[int]]]:
        """The predictors and the places of their opportunities, each of one kind.

        Whether a canary answers is drawn by the opportunity's id, so that repeated requests get the same version.
        """
        places: dict[tuple[str, frozenset[str]], list[int]] = {}
        for place, one in enumerate(opportunities):
            places.setdefault((one.asked, self._drawn(one, seed)), []).append(place)
        for (asked, those), here in places.items():
            yield self._predictors[those][asked], here

    def _drawn(self, asked: Opportunity, seed: int) -> frozenset[str]:
        if not self.canaries:
            return _NOBODY
        return frozenset(
            family
            for family, one in self.canaries.items()
            if 100 * uniform(asked, seed, f"canary {family} {one.predictor.version}") < one.weight
        )

    def _made(self, canaries: Sequence[str]) -> dict[str, Predictors]:
        answering = {**self.champions, **{family: self.canaries[family].predictor for family in canaries}}
        return {name: Predictors(kind, answering) for name, kind in kinds().items()}
