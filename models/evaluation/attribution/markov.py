"""Credit by removal effect in a Markov chain of channels (Anderl, Becker, von Wangenheim and Schumann, "Mapping the
customer journey", 2016): the value that is lost if a channel leads nowhere any more.

A walk that meets a channel loses all that would follow, so the loss is the probability of meeting it times the value
expected from there on. Both come from one inverse, that of the chain's transitions.
"""

import numpy as np

from models.evaluation.attribution.paths import PathSums
from models.evaluation.metrics import Array


def removal(sums: PathSums) -> Array:
    """Share of each channel in all removal effects, a line a sample; zeros where no order was touched."""
    moves, size = sums.moves, len(sums.channels)
    left = moves.sum(axis=2)
    left[:, 1:] += sums.ended
    chances = np.divide(moves, left[:, :, None], out=np.zeros_like(moves), where=left[:, :, None] > 0)
    ends = np.divide(sums.last, left[:, 1:], out=np.zeros_like(sums.last), where=left[:, 1:] > 0)
    visits = np.linalg.inv(np.eye(size) - chances[:, 1:, 1:])  # expected visits of a channel, from each
    started = np.einsum("sf,sfc->sc", chances[:, 0, 1:], visits)
    meets = started / np.einsum("scc->sc", visits)
    lost = meets * np.einsum("sfc,sc->sf", visits, ends)
    total = lost.sum(axis=1, keepdims=True)
    return np.divide(lost, total, out=np.zeros_like(lost), where=total > 0)
