"""Customers of the highest lifetime value, and those whose value declines."""

import pandas as pd

#: Share of an earlier value below which it declines.
DECLINED = 0.5


def standing(now: pd.DataFrame, before: pd.DataFrame, share: float) -> pd.DataFrame:
    """Customers with their value now and before, the highest first.

    Args:
        now, before: `customer_id`, `value`, `value_low`, `value_high`, `value_1y`, at two moments.
        share: of the customers that count as the top.

    Returns:
        Those columns of `now`, `value_before`, `top` and `top_before` (whether among the top), and `declining`: top
        before, and less than half of it now by the upper bound, so that it is no matter of an uncertain prediction.
    """
    both = now.merge(
        before[["customer_id", "value"]].rename(columns={"value": "value_before"}), on="customer_id", how="left"
    ).sort_values(["value", "customer_id"], ascending=[False, True], ignore_index=True)
    count = max(1, round(share * len(both)))
    top = both["value"].rank(method="first", ascending=False) <= count
    top_before = both["value_before"].rank(method="first", ascending=False) <= count
    return both.assign(
        top=top,
        top_before=top_before,
        declining=top_before & (both["value_high"] < DECLINED * both["value_before"]),
    )
