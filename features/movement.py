"""Expected movement of features over time without drift; groups declare it with their SQL."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Movement(BaseModel):
    """Expected movement of a feature.

    Attributes:
        kind: `clock`: depends on the date, any value from `low` to `high`; `grows`: accumulates over history (a tenure,
            a count of all orders); `few`: shared by the rows of a few entities such as campaigns, so that rows are not
            independent samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["clock", "grows", "few"]
    low: float | None = None
    high: float | None = None


def clock(low: float, high: float) -> Movement:
    """Depends on the date, within these limits."""
    return Movement(kind="clock", low=low, high=high)


GROWS = Movement(kind="grows")
FEW = Movement(kind="few")
