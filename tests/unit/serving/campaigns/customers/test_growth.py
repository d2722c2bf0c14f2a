"""What new customers may cost, and which of the best decline."""

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.customers.acquisition import channels
from serving.campaigns.customers.growth import standing


def acquired():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "channel": ["search"] * 400 + ["social"] * 200 + ["post"] * 5,
            "value": [*rng.gamma(2, 100, 400), *rng.gamma(2, 20, 200), *[1000.0] * 5],
        }
    )


def test_a_channel_is_judged_by_its_value_against_its_cost():
    found = {one.channel: one for one in channels(acquired(), {"search": 4000, "social": 4000}, 0.3, 3.0)}
    search, social = found["search"], found["social"]
    assert (search.cost, social.cost) == (10.0, 20.0)
    assert search.threshold == pytest.approx(100.0)  # 30% of it is three times the cost
    assert search.ratio.low > 3 > 1 > social.ratio.high
    assert search.target == pytest.approx(0.3 * search.value.low)
    assert search.most == pytest.approx(search.target / 3)
    assert social.above < search.above < 1


def test_few_customers_are_worth_what_all_are():
    post = next(one for one in channels(acquired(), {"post": 50}, 0.3, 3.0) if one.channel == "post")
    assert post.pooled and post.above is None
    assert post.value.value == pytest.approx(acquired()["value"].mean())


def test_a_spend_on_an_unknown_channel_is_refused():
    with pytest.raises(ValueError, match="expected a channel of post, search, social, got tv"):
        channels(acquired(), {"tv": 1.0}, 0.3, 3.0)


def test_the_best_are_told_and_those_that_decline_beyond_their_interval():
    before = pd.DataFrame({"customer_id": [f"c{at}" for at in range(20)], "value": np.arange(20.0, 0, -1)})
    now = before.assign(value_1y=0.0)
    now.loc[0, "value"], now.loc[1, "value"] = 2.0, 8.0
    now = now.assign(value_low=now["value"] - 1, value_high=now["value"] + 4)
    found = standing(now, before, 0.1).set_index("customer_id")
    assert found.index[found["top"]].tolist() == ["c2", "c3"]
    assert found.index[found["declining"]].tolist() == ["c0"]  # c1 may still be worth 12 of 19
