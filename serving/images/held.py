"""What a crop must hold: the product, or the main thing that was found, and the texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import sqrt

from models.image.box import Box

#: A thing that the detector is at least so sure of is held like a product that a person marked.
SURE = 0.5


@dataclass(frozen=True)
class HeldParts:
    """What must not be cut.

    Attributes:
        product: the box around those that were given, or the main thing that was found; None: neither.
        given: the product was given.
        texts: boxes of texts.
    """

    product: Box | None
    given: bool
    texts: tuple[Box, ...] = ()

    @cached_property
    def box(self) -> Box | None:
        """The box around all of it; None where there is nothing."""
        return reduce(Box.union, self.parts) if self.parts else None

    @property
    def parts(self) -> tuple[Box, ...]:
        return self.texts if self.product is None else (self.product, *self.texts)

    @property
    def name(self) -> str:
        """What it is called in a sentence, such as "the text and the person that were found"."""
        texts = "the text" if len(self.texts) == 1 else f"the {len(self.texts)} texts"
        found = f"that {'was' if len(self.parts) - self.given == 1 else 'were'} found"
        if self.product is None or not self.texts:
            return "the product" if self.given else f"{texts if self.texts else self._thing} {found}"
        return f"the product and {texts} {found}" if self.given else f"{texts} and {self._thing} {found}"

    @property
    def _thing(self) -> str:
        return "" if self.product is None else f"the {self.product.label}"


def to_hold(
    product: Sequence[Box], things: Sequence[Box], texts: Sequence[Box], width: float, height: float
) -> HeldParts:
    """A given product, or else the surest and largest thing if that is sure; and the texts."""
    lettered = tuple(text.clip(width, height) for text in texts)
    if product:
        return HeldParts(reduce(Box.union, product).clip(width, height), True, lettered)
    sure = [thing.clip(width, height) for thing in things if thing.score >= SURE]
    return HeldParts(max(sure, key=lambda thing: thing.score * sqrt(thing.area), default=None), False, lettered)
