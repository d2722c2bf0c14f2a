"""How features move as time goes by in a world that stays as it is. Groups declare it beside their SQL."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Movement(BaseModel):
    """What to expect of a feature later.

    Attributes:
        kind: what follows from the `clock` may take any value from `low` to `high`; what `grows` adds up over history
            (a tenure, a count of all orders), and becomes larger with it; what is of a `few` things, such as campaigns,
            is shared by many rows, and no sample of as many values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["clock", "grows", "few"]
    low: float | None = None
    high: float | None = None


def clock(low: float, high: float) -> Movement:
    """Follows from the date, within these limits."""
    return Movement(kind="clock", low=low, high=high)


GROWS = Movement(kind="grows")
FEW = Movement(kind="few")
