"""The next basket on planted tastes."""

import numpy as np
import pandas as pd
import pytest

from models.next_basket.model import NextBasket, recall, top


def shop(count=300, seed=0):
    """Half of the customers are bakers, half are gardeners; each bought half of what their kind buys, and bags."""
    rng = np.random.default_rng(seed)
    kinds = {"baker": [f"flour {at}" for at in range(10)], "gardener": [f"seed {at}" for at in range(10)]}
    rows = [
        (f"{kind}{who}", item, float(rng.integers(1, 5)))
        for kind, items in kinds.items()
        for who in range(count // 2)
        for item in [*rng.choice(items, 5, replace=False), "bag"]
    ]
    return pd.DataFrame(rows, columns=["customer_id", "item", "weight"])


def test_new_items_are_those_of_customers_alike():
    bought = shop()
    basket = NextBasket.of(bought)
    who = list(basket.customers)
    for customer, items in zip(who, top(basket.new(who), basket.items, 5), strict=True):
        own = set(bought.loc[bought["customer_id"] == customer, "item"])
        assert not own & set(items)
        assert {item.split()[0] for item in items} == {"flour" if customer.startswith("baker") else "seed"}


def test_what_is_bought_again_is_what_was_bought_most_lately():
    bought = pd.DataFrame(
        {"customer_id": ["a", "a", "b"], "item": ["old", "lately", "other"], "weight": [0.2, 1.0, 1.0]}
    )
    basket = NextBasket.of(bought)
    assert top(basket.again(["a", "b", "nobody"]), basket.items, 5) == [["lately", "old"], ["other"], []]


def test_nobody_known_is_shown_what_is_popular():
    basket = NextBasket.of(shop())
    assert top(basket.new(["nobody"]), basket.items, 1) == [["bag"]]


def test_recall_counts_what_was_bought_among_the_first():
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, -1.0], [1.0, 1.0, 1.0]])
    bought = np.array([[True, False, True], [False, False, True], [False, False, False]])
    assert recall(scores, bought, 2, 0).value == pytest.approx((0.5 + 0.0) / 2)
    assert np.isnan(recall(scores, np.zeros_like(bought), 2, 0).value)


def test_held_out_tastes_are_found_beyond_the_popular():
    bought = shop(seed=1)
    held = bought.groupby("customer_id").head(1)
    basket = NextBasket.of(bought.drop(index=held.index))
    who = list(basket.customers)
    later = basket.bought(who, held)
    ours, theirs = (recall(scores, later, 6, 0) for scores in (basket.new(who), basket.most_popular(who, new=True)))
    assert ours.low > theirs.high


def test_no_purchases_are_refused():
    with pytest.raises(ValueError, match="expected purchases with an item, got none"):
        NextBasket.of(shop().iloc[:0])
