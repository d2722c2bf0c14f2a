"""What is in a picture, as far as the pre-flight asks: each looked at when it is first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from models.image.aesthetics.quality import quality
from models.image.aesthetics.text_contrast import TextContrast, text_contrast
from models.image.box import Box
from models.image.detector import detect
from models.image.lettering import Lettering, lettering, of_lines
from models.image.logos import Logo, Mark, logos
from models.image.picture import Picture
from models.image.unsafe import unsafe
from serving.images.held import SURE
from serving.images.texts import counted, lies_in


@dataclass(frozen=True)
class Contents:
    """What is in a picture.

    Attributes:
        told_share: share of the picture that text covers, as somebody measured it.
        marks: logos to look for.
        original: the part that is the picture itself, where the rest is padding; None: all of it.
    """

    picture: Picture
    told_share: float | None = None
    marks: Sequence[Mark] = ()
    original: Box | None = None

    @cached_property
    def lettering(self) -> Lettering:
        return of_lines(counted(lettering(self.picture).lines, self.original), self.picture)

    @property
    def text_share(self) -> float:
        return self.lettering.share if self.told_share is None else self.told_share

    @cached_property
    def contrasts(self) -> list[TextContrast]:
        return [text_contrast(self.picture, line) for line in self.lettering.lines]

    @cached_property
    def logos(self) -> tuple[Logo, ...]:
        return logos(self.picture, self.marks, self.lettering)

    @cached_property
    def sharpness(self) -> float:
        return quality(self.picture).sharpness

    @cached_property
    def unsafe(self) -> float:
        return unsafe(self.picture)

    @cached_property
    def main(self) -> list[Box]:
        """The main thing that was found, if it is sure."""
        found = detect(self.picture, SURE)
        sure = [thing for thing in found if thing.area and (self.original is None or lies_in(thing, self.original))]
        return sorted(sure, key=lambda thing: -thing.score * sqrt(thing.area))[:1]
