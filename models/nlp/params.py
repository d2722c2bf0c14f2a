"""The `nlp` section of `params.yaml`."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from models.family import FamilyParams


class NlpParams(FamilyParams):
    """What the nlp family learns by.

    Attributes:
        max_examples: texts of a task, at most, and as many about an aspect; a sample of them where there are more.
        layers: last layers of the encoder that are tuned, of its six.
        epochs: of tuning; with 0 the encoder stays frozen.
        minutes: no epoch begins that would end later.
    """

    max_examples: PositiveInt = 50_000
    layers: Literal[1, 3, 5] = 3
    epochs: NonNegativeInt = 0
    minutes: PositiveFloat = 60.0
