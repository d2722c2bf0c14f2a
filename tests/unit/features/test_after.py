"""What customers bought after moments of their own, counted by hand."""

from collections.abc import Callable

import pandas as pd

from features.after import after
from features.tables import Tables


def test_outcomes_count_what_came_within_the_days(given: Callable[..., Tables]) -> None:
    tables = given(
        [
            ("ann", "2024-01-01", 50.0),
            ("ann", "2024-01-10", 20.0),
            ("ann", "2024-01-12", -5.0),
            ("ann", "2024-02-20", 99.0),
            ("bob", "2024-01-01", 10.0),
            ("cid", "2024-01-03", -4.0),
        ]
    )
    moments = pd.DataFrame(
        {
            "customer_id": ["ann", "ann", "bob", "cid", "dan"],
            "occurred_at": pd.to_datetime(["2024-01-01", "2024-02-15", "2024-01-02", "2024-01-02", "2024-01-02"]),
            "arm": ["a", "b", "c", "d", "e"],
        }
    )
    found = after(tables, moments, 28)
    assert found["arm"].tolist() == ["a", "c", "d", "e"]  # the days of b are not over
    assert found["bought"].tolist() == [15.0, 0.0, -4.0, 0.0]
    assert found["stayed"].tolist() == [1, 0, 0, 0]
