"""Texts of equal lengths together, in a new order each epoch."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.nlp.features import Array

BATCH = 32
#: Batches whose texts are sorted by length before they are parted.
SORTED = 16

Places = npt.NDArray[np.intp]


def shuffled(lengths: Places, seed: int) -> Iterator[Places]:
    """The places of each batch's texts."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    batches: list[Places] = []
    for start in range(0, len(order), BATCH * SORTED):
        part = order[start : start + BATCH * SORTED]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[place : place + BATCH] for place in range(0, len(part), BATCH)]
    yield from (batches[place] for place in rng.permutation(len(batches)))


def padded(states: Sequence[Array], device: str) -> tuple[Tensor, Tensor]:
    """States of texts as (texts, tokens, size), and True where there is a token."""
    longest = max(len(one) for one in states)
    together = np.zeros((len(states), longest, states[0].shape[1]), np.float32)
    for row, one in enumerate(states):
        together[row, : len(one)] = one
    lengths = torch.tensor([len(one) for one in states])
    mask = torch.arange(longest)[None] < lengths[:, None]
    return torch.from_numpy(together).to(device), mask.to(device)
