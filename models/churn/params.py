"""The `churn` section of `params.yaml`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from features.examples import Window
from models.family import FamilyParams

Chance = Annotated[float, Field(gt=0, lt=1)]


class Bands(BaseModel):
    """Lower limits of the probability for medium and high risk."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    medium: Chance = 0.5
    high: Chance = 0.7


class ChurnParams(FamilyParams):
    """How the ensemble is learnt.

    Attributes:
        folds: that out-of-fold answers are made in, a customer's rows all in one.
        trees: of the regularised random forest.
        rounds: of boosting, at most: it stops when held-out rows no longer gain.
        steps: of the networks, a batch each.
    """

    window: Window
    bands: Bands = Bands()
    folds: Annotated[int, Field(ge=2)] = 4
    trees: PositiveInt = 100
    rounds: PositiveInt = 1000
    steps: PositiveInt = 500
