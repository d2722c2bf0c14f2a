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

    def label_days(self, history_days: int) -> int:
        """Over how many days the train and valid examples of `value_examples` add up spend, given the days of history
        before the test cutoff: the horizon, or as much of it as leaves a train and a valid window after `min_history_days`.

        Each example carries its own in the column `horizon_days`, a label column beside `value`: the test examples
        have `horizon_days` of the window. Raises `ValueError` where history is too short for any.
        """
        days = min(self.horizon_days, (history_days - self.min_history_days) // 2)
        if days < 1:
            raise ValueError(f"history before the cutoff: expected over {self.min_history_days + 2} days, got {history_days}")
        return days
