"""Examples of customer value: customer, cutoff, and spend in the days after."""

import pandas as pd

from features.examples import Windowed, observed
from features.tables import Tables


def value_examples(
    tables: Tables, params: Windowed, as_of: str | None = None, cutoff: str | None = None
) -> pd.DataFrame:
    """What they will spend. Label `value`: spend net of returns, at least 0, in the `horizon_days` after the cutoff.

    `horizon_days` is the same everywhere unless history is shorter than the horizon asked for: then train and valid
    look less far ahead than test does.

    Returns:
        customer_id, event_timestamp, split (`train`, `valid`, `test`), value, horizon_days.
    """
    return observed(tables, params, as_of, cutoff, shorten=True).drop(columns="purchases")
