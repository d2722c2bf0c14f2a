"""What the LTV family learns by."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from features.examples import Window
from models.family import FamilyParams


class LtvParams(FamilyParams):
    """The `ltv` section of `params.yaml`."""

    window: Window
    #: Share of customers whose spend the interval should hold.
    coverage: Annotated[float, Field(gt=0, lt=1)]
    #: Most trees a booster may have; how many it gets is found on the valid examples.
    trees: PositiveInt
    leaves: Annotated[int, Field(gt=1)]
    leaf_rows: PositiveInt
    learning_rate: PositiveFloat
