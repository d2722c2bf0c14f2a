"""What is in a picture, as far as the pre-flight asks: each looked at when it is first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from models.image.aesthetics.quality import quality
from models.image.aesthetics.text_contrast import TextContrast, text_contrast
from models.image.box import Box
from models.image.detector import detect
from models.image.lettering import Lettering, TextLine, lettering
from models.image.logos import Logo, Mark, logos
from models.image.picture import Picture
from models.image.unsafe import unsafe
from serving.images.crop import SURE


@dataclass(frozen=True)
class Contents:
    """What is in a picture.

    Attributes:
        told_share: share of the picture that text covers, as somebody measured it.
        marks: logos to look for.
    """

    picture: Picture
    told_share: float | None = None
    marks: Sequence[Mark] = ()

    @cached_property
    def lettering(self) -> Lettering:
        return lettering(self.picture)

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
        sure = [thing for thing in detect(self.picture, SURE) if thing.area]
        return sorted(sure, key=lambda thing: -thing.score * sqrt(thing.area))[:1]


def box_of(line: TextLine) -> Box:
    """The upright box around a line of text."""
    across, down = zip(*line.corners, strict=True)
    return Box(line.text, line.confidence, min(across), min(down), max(across), max(down))
