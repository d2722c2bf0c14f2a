"""Sums over journeys, by group of customers: all that credit is computed from, and that its intervals draw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from models.evaluation.metrics import Array

#: More channels than this have too few journeys each.
MOST = 60


@dataclass(frozen=True)
class PathSums:
    """Sums by group of customers (first axis), with channels in the order of `channels`.

    Attributes:
        last: value of orders whose last touch was the channel.
        shared: value of orders, shared evenly among the channels of their journeys.
        untouched: value of orders that no touch came before.
        moves: journeys that went from a channel to another; the first of both axes is the start.
        ended: journeys whose last touch was the channel, with an order or without.
        together: journeys that have both channels.
    """

    channels: tuple[str, ...]
    last: Array
    shared: Array
    untouched: Array
    moves: Array
    ended: Array
    together: Array

    def drawn(self, weights: Array) -> "PathSums":
        """Sums of samples: `weights` tells how often each group was drawn, a line a sample."""
        sums = (self.last, self.shared, self.untouched, self.moves, self.ended, self.together)
        return PathSums(self.channels, *(np.tensordot(weights, one, axes=1) for one in sums))

    @property
    def whole(self) -> "PathSums":
        """The sums over all groups, as the one line of their first axis."""
        return self.drawn(np.ones((1, len(self.last))))


def path_sums(counts: pd.DataFrame, names: Mapping[str, str] | None = None) -> PathSums:
    """The sums of journeys as `features.journeys` counts them.

    Args:
        names: channels that are renamed; those of one name become one channel.

    Raises:
        ValueError: there is no touch, or there are too many channels.
    """
    codes, paths = pd.factorize(counts["path"].map(tuple))
    steps = [_renamed(path, names or {}) for path in paths]
    channels = tuple(sorted({channel for path in steps for channel in path}))
    size = len(channels)
    if not 0 < size <= MOST:
        raise ValueError(f"attribution: expected 1 to {MOST} channels, got {size}; name fewer with --by")
    place = {name: at for at, name in enumerate(channels)}
    walks = [[place[channel] for channel in path] for path in steps]
    last = _counted(([path[-1]] if path else [] for path in walks), size).toarray()
    present = _counted((sorted(set(path)) for path in walks), size).toarray()
    moves = _counted(
        ([a * (size + 1) + b for a, b in pairwise([0, *(one + 1 for one in path)])] for path in walks), (size + 1) ** 2
    )
    pairs = _counted(([one * size + other for one in set(path) for other in set(path)] for path in walks), size**2)
    shares = present / np.maximum(present.sum(axis=1, keepdims=True), 1)
    value, journeys = (_by_group(counts, codes, what) for what in ("value", "journeys"))
    return PathSums(
        channels,
        last=value @ last,
        shared=value @ shares,
        untouched=value @ (present.sum(axis=1) == 0),
        moves=(journeys @ moves).toarray().reshape(-1, size + 1, size + 1),
        ended=journeys @ last,
        together=(journeys @ pairs).toarray().reshape(-1, size, size),
    )


def _by_group(counts: pd.DataFrame, codes: Any, what: str) -> Any:
    """A column of the counts as a sparse matrix of groups and paths."""
    from scipy.sparse import csr_array

    groups = pd.factorize(counts["cluster"], sort=True)[0]
    return csr_array((counts[what].to_numpy(dtype=float), (groups, codes)))


def _counted(places: Iterable[Sequence[int]], width: int) -> Any:
    """How often each path has each place, as a sparse matrix with a line a path."""
    from scipy.sparse import csr_array

    listed = list(places)
    rows = np.repeat(np.arange(len(listed)), [len(one) for one in listed])
    columns = np.array([at for one in listed for at in one], dtype=int)
    return csr_array((np.ones(len(columns)), (rows, columns)), (len(listed), width))


def _renamed(path: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The path with new names; a channel that then follows itself is one."""
    found = [names.get(channel, channel) for channel in path]
    return [channel for at, channel in enumerate(found) if at == 0 or channel != found[at - 1]]
