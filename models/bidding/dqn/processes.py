"""Training on several processes, as torchrun starts them: each plays a part of the episodes and of every batch.

What they played and how surprising it was is exchanged, and gradients are added up, so that all hold the same networks
and memory: a checkpoint is the same file for any number of processes.
"""

import atexit
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Processes:
    """This process, `rank`, of `count`; one alone exchanges nothing."""

    rank: int
    count: int
    device: "torch.device"

    @classmethod
    def join(cls) -> Self:
        """Meet the processes that torchrun started with this one, over NCCL where each has a GPU, else over Gloo."""
        import torch

        cuda, count = torch.cuda.is_available(), int(os.environ.get("WORLD_SIZE", 1))
        if count > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if cuda else "gloo")
            atexit.register(torch.distributed.destroy_process_group)
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        return cls(int(os.environ.get("RANK", 0)), count, device)

    def seed(self, *of_all: int) -> list[int]:
        """A seed of its own for each process; alone, that of all."""
        return [*of_all, self.rank] if self.count > 1 else list(of_all)

    def share(self, episodes: int) -> int:
        """How many of `episodes` each process plays: enough for all together."""
        return -(-episodes // self.count)

    def part(self, rows: "torch.Tensor") -> "torch.Tensor":
        """Those of `rows`, along the last dimension, that are this process's."""
        return rows.tensor_split(self.count, dim=-1)[self.rank]

    def gathered(self, part: "torch.Tensor") -> "torch.Tensor":
        """The rows of all processes, by rank; the first dimension may differ between them."""
        import torch

        if self.count == 1:
            return part
        sizes = [torch.zeros(1, dtype=torch.int64, device=part.device) for _ in range(self.count)]
        torch.distributed.all_gather(sizes, torch.tensor([len(part)], device=part.device))
        longest = max(int(size) for size in sizes)
        padded = part.new_zeros((longest, *part.shape[1:]))
        padded[: len(part)] = part
        found = [torch.empty_like(padded) for _ in sizes]
        torch.distributed.all_gather(found, padded)
        return torch.cat([one[: int(size)] for one, size in zip(found, sizes, strict=True)])

    def add_gradients(self, layers: "list[torch.Tensor]") -> None:
        """Make each gradient the sum of those of all processes."""
        import torch

        if self.count == 1:
            return
        gradients = [layer.grad for layer in layers if layer.grad is not None]
        flat = torch.nn.utils.parameters_to_vector(gradients)
        torch.distributed.all_reduce(flat)
        torch.nn.utils.vector_to_parameters(flat, gradients)
