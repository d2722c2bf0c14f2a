"""Prioritized replay memory: rows with larger errors are sampled more often."""

from typing import TYPE_CHECKING

import numpy as np

from models.bidding.dqn.experience import Experience
from models.bidding.dqn.network import HEADS
from models.bidding.dqn.processes import Processes

if TYPE_CHECKING:
    import torch

#: Exponents of the priorities and of the correction for them: Schaul et al., "Prioritized Experience Replay" (2016).
PRIORITY, CORRECTION = 0.6, 0.5
#: Added to every error, so that no row is forgotten; and chance that a row is a head's own.
LEAST, OWN = 0.05, 0.5


class Memory:
    """All experience as tensors on one device; `owned`, of (rows, heads), assigns rows to heads."""

    def __init__(self, columns: list["torch.Tensor"], owned: "torch.Tensor", surprise: "torch.Tensor") -> None:
        self.columns, self.owned, self.surprise = columns, owned, surprise

    @classmethod
    def of(cls, experience: Experience, rng: np.random.Generator, device: "torch.device") -> "Memory":
        """New rows have a high priority of 1; few errors are as large."""
        import torch

        columns = [torch.from_numpy(array).to(device) for array in vars(experience).values()]
        owned = torch.from_numpy((rng.random((len(experience.state), HEADS)) < OWN).astype(np.float32)).to(device)
        return cls(columns, owned, torch.ones(len(experience.state), device=device))

    def joined(self, other: "Memory") -> "Memory":
        """Both, this one's rows first."""
        import torch

        columns = [torch.cat(pair) for pair in zip(self.columns, other.columns, strict=True)]
        return Memory(columns, torch.cat([self.owned, other.owned]), torch.cat([self.surprise, other.surprise]))

    def exchanged(self, processes: Processes) -> "Memory":
        """The rows of all processes."""
        columns = [processes.gathered(column) for column in self.columns]
        return Memory(columns, processes.gathered(self.owned), processes.gathered(self.surprise))

    def draw(self, rows: int, chance: "torch.Generator") -> tuple["torch.Tensor", "torch.Tensor"]:
        """Indices of rows sampled by priority, and their weights of (heads, rows), at most 1.

        Random numbers are from the CPU, so that all devices sample the same.
        """
        import torch

        total = torch.cumsum((self.surprise + LEAST).double() ** PRIORITY, dim=0)
        point = torch.rand(rows, generator=chance, dtype=torch.float64).to(total.device) * total[-1]
        place = torch.searchsorted(total, point).clamp(max=len(total) - 1)
        weight = (self.surprise[place] + LEAST) ** (-PRIORITY * CORRECTION)
        return place, self.owned[place].T * (weight / weight.max())

    def batch(self, place: "torch.Tensor") -> tuple["torch.Tensor", ...]:
        """State, reward, state after and last of some rows."""
        return tuple(column[place] for column in self.columns)

    def learn(self, place: "torch.Tensor", error: "torch.Tensor") -> None:
        """Update the priorities of rows from the mean size of their errors."""
        self.surprise[place] = error
