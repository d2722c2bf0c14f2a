"""The `vision` section of `params.yaml`."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from models.family import FamilyParams


class VisionParams(FamilyParams):
    """What the vision family learns by.

    Attributes:
        max_examples: pictures, at most; a sample of them where there are more.
        side: of a square, in pixels, of as many as are read of a whole picture; a multiple of 32.
        blocks: last blocks of the backbone that are tuned, of its sixteen.
        epochs: of tuning; with 0 the backbone stays frozen.
        variants: of each picture that is tuned on: the whole, then parts of it.
        box_epochs: of training on boxes, where pictures have some.
        minutes: no epoch begins that would end later.
    """

    max_examples: PositiveInt = 20_000
    side: Annotated[int, Field(ge=64, le=512, multiple_of=32)] = 224
    blocks: Literal[5, 11] = 5
    epochs: NonNegativeInt = 0
    variants: PositiveInt = 4
    box_epochs: PositiveInt = 40
    minutes: PositiveFloat = 60.0
