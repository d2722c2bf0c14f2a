"""What a customer buys again, and what customers alike buy: counts, in place of a model that few shops could feed.

Again: the customer's own purchases, recent ones for more, which is hard to beat on groceries. New: what the customers
with the most alike purchases buy and this one never did (Hu, He, Gao and Zhang, "Modeling personalized item frequency
information for next-basket recommendation", 2020). Both beside the most popular items.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import Array

Flags = npt.NDArray[np.bool_]

#: Customers that are most alike, of as many as are compared at most; customers that are asked for at a time.
NEIGHBOURS, POOL, AT_ONCE = 100, 5000, 1000
SAMPLES = 500


@dataclass(frozen=True)
class NextBasket:
    """Scores of items for customers.

    Attributes:
        customers, items: in the order of the rows and columns.
        weights: of purchases, sparse (customers, items).
        popular: share of customers who bought an item.
    """

    customers: "pd.Index[str]"
    items: "pd.Index[str]"
    weights: Any
    popular: Array

    @classmethod
    def of(cls, bought: pd.DataFrame) -> "NextBasket":
        """Count what `features.baskets` reads. Raises `ValueError` where nothing was bought."""
        from scipy.sparse import csr_array

        if bought.empty:
            raise ValueError("next basket: expected purchases with an item, got none")
        who, customers = pd.factorize(bought["customer_id"], sort=True)
        what, items = pd.factorize(bought["item"], sort=True)
        weights = csr_array((bought["weight"].to_numpy(dtype=float), (who, what)), (len(customers), len(items)))
        popular = np.bincount(what, minlength=len(items)) / len(customers)
        return cls(pd.Index(customers), pd.Index(items), weights, popular)

    def again(self, customers: Sequence[str]) -> Array:
        """Scores of items that the customers bought; below 0 for all others."""
        own = self._own(customers)
        return np.where(own > 0, own, -1.0)

    def new(self, customers: Sequence[str]) -> Array:
        """Scores of items that the customers never bought: the share of those alike who did; below 0 for others."""
        return np.concatenate([*self._new(customers)])

    def _new(self, customers: Sequence[str]) -> Iterator[Array]:
        pool = np.sort(np.random.default_rng(0).permutation(len(self.customers))[:POOL])
        theirs, alike = self.weights[pool].toarray(), self.customers[pool]
        taste = _direction(theirs)
        for start in range(0, len(customers), AT_ONCE):
            some = list(customers[start : start + AT_ONCE])
            own = self._own(some)
            likeness = _direction(own) @ taste.T
            likeness[pd.Index(some).to_numpy()[:, None] == alike.to_numpy()[None, :]] = 0.0
            if likeness.shape[1] > NEIGHBOURS:
                least = np.partition(likeness, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]
                likeness = np.where(likeness >= least, likeness, 0.0)
            shares = likeness @ (theirs > 0) / np.maximum(likeness.sum(axis=1, keepdims=True), 1e-12)
            # Nobody is like a customer without purchases: then the popular ones decide.
            yield np.where(own > 0, -1.0, shares + 1e-6 * self.popular)

    def most_popular(self, customers: Sequence[str], new: bool) -> Array:
        """The baseline: the same items for everybody, but for those a customer bought where `new` is asked for."""
        return np.where((self._own(customers) > 0) & new, -1.0, self.popular)

    def bought(self, customers: Sequence[str], later: pd.DataFrame) -> Flags:
        """Whether each customer bought each item, of the rows `customer_id` and `item`."""
        places = pd.Index(customers).get_indexer(pd.Index(later["customer_id"]))
        items = self.items.get_indexer(pd.Index(later["item"]))
        known = (places >= 0) & (items >= 0)
        found = np.zeros((len(customers), len(self.items)), dtype=bool)
        found[places[known], items[known]] = True
        return found

    def _own(self, customers: Sequence[str]) -> Array:
        places = self.customers.get_indexer(pd.Index(customers))
        own: Array = self.weights[np.maximum(places, 0)].toarray()
        own[places < 0] = 0.0
        return own


def _direction(weights: Array) -> Array:
    """The logarithms of purchases as unit vectors."""
    logs = np.log1p(weights)
    unit: Array = logs / np.maximum(np.linalg.norm(logs, axis=1, keepdims=True), 1e-12)
    return unit


def top(scores: Array, items: "pd.Index[str]", count: int) -> list[list[str]]:
    """The items of the highest scores, best first; none that scores below 0."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return [[str(items[at]) for at in row if scores[place, at] >= 0] for place, row in enumerate(order)]


def recall(scores: Array, bought: Flags, count: int, seed: int) -> Interval:
    """Share of the items bought next that are among the `count` of the highest scores, mean over customers.

    Args:
        bought: whether each customer bought each item; those who bought none do not count.

    Returns:
        The mean with its bootstrap interval; NaN where nobody bought any.
    """
    some = bought.any(axis=1)
    chosen = np.argsort(-scores[some], axis=1, kind="stable")[:, :count]
    hit = np.take_along_axis(bought[some], chosen, axis=1) & (np.take_along_axis(scores[some], chosen, axis=1) >= 0)
    each: Array = hit.sum(axis=1) / np.minimum(bought[some].sum(axis=1), count)
    return _interval(each, seed)


def _interval(each: Array, seed: int) -> Interval:
    if not len(each):
        return Interval(float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(0, len(each), (SAMPLES, len(each)))
    low, high = np.quantile(each[drawn].mean(axis=1), [0.025, 0.975])
    return Interval(float(each.mean()), float(low), float(high))
