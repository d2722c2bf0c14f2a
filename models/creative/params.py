"""The `creative` section of `params.yaml`."""

from typing import Annotated

from pydantic import Field, PositiveInt

from features.examples import Window
from models.family import FamilyParams


class CreativeParams(FamilyParams):
    """What the creative family learns by.

    Attributes:
        window: an example is what came of a creative in a context on a weekday in the `horizon_days` after the cutoff.
        coverage: share of creatives whose rate the interval should hold.
        components: principal components of the texts' embeddings.
        trees: of each random forest.
        rounds: of boosting, at most: it stops when later examples no longer gain.
        steps: of the network, a batch each.
    """

    window: Window
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.8
    components: PositiveInt = 160
    trees: PositiveInt = 40
    rounds: PositiveInt = 120
    steps: PositiveInt = 400
