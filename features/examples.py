"""Examples to learn from: who, as of when, in which split, and what came of it."""

from pydantic import BaseModel, ConfigDict, PositiveInt


class Window(BaseModel):
    """How history is cut into examples, in days.

    The test examples stand at the latest cutoff whose horizon has passed; valid and train examples at earlier
    cutoffs whose horizons end no later than that, so nothing after the test cutoff is ever learnt from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    horizon_days: PositiveInt
    step_days: PositiveInt
    min_history_days: PositiveInt
