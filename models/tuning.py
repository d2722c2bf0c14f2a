"""Fine-tuning of a network's last layers, resumable after each epoch; with torch, and imported by nothing that answers.

The result is the mean of the weights over about the last `AVERAGED` steps (Izmailov et al., "Averaging Weights Leads to
Wider Optima and Better Generalization", 2018).
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from models.lean_torch import uncompiled

WEIGHT_DECAY = 0.01
#: Share of the steps that the learning rate rises in; it falls to 0 in the rest.
WARM_UP = 0.1
AVERAGED = 100


def device() -> str:
    """Where networks are trained: on a GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class AveragedTraining(ABC):
    """One training: a network, its optimizer and the running mean of its weights.

    Args:
        groups: of the optimizer, each with its parameters and its highest learning rate.
    """

    @uncompiled()
    def __init__(self, network: nn.Module, groups: Sequence[dict[str, Any]], device: str) -> None:
        self._network, self._device = network, device
        self._optimizer = torch.optim.AdamW(list(groups), weight_decay=WEIGHT_DECAY)
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._mean = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._steps = 0

    @abstractmethod
    def epoch(self, epoch: int) -> None:
        """Learn from every example once; `epoch` seeds their order."""

    @uncompiled()
    def train(self, seed: int, epochs: int, minutes: float, file: Path) -> None:
        """Train for so many epochs, going on from `file` where it is there.

        Each epoch is seeded by itself and kept in `file`, so that a resumed training gives the same weights. No epoch
        begins that would end after so many minutes, going by those before.
        """
        began, done = time.monotonic(), self.resume(file)
        for epoch in range(done, epochs):
            spent = time.monotonic() - began
            if epoch > done and spent * (epoch - done + 1) / (epoch - done) > 60 * minutes:
                break
            torch.manual_seed(seed + epoch + 1)
            self.epoch(epoch)
            self.keep(file, epoch + 1)

    def step(self, loss: Tensor, steps: int) -> None:
        """One step of `steps` in all."""
        share = self._steps / steps
        pace = share / WARM_UP if share < WARM_UP else (1 - share) / (1 - WARM_UP)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * pace
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()
        self._steps += 1
        weight = max(1 / self._steps, 1 / AVERAGED)
        for name, value in self._network.state_dict().items():
            self._mean[name].lerp_(value, weight)

    def average(self) -> None:
        """Give the network the mean weights, on the processor."""
        self._network.load_state_dict(self._mean)
        self._network.eval().cpu()

    def keep(self, file: Path, epochs: int) -> None:
        """Write what `resume` reads."""
        held = {f"weight.{name}": value for name, value in self._network.state_dict().items()}
        held |= {f"mean.{name}": value for name, value in self._mean.items()}
        for place, state in self._optimizer.state_dict()["state"].items():
            held |= {f"moment.{place}.{name}": value for name, value in state.items()}
        held["done"] = torch.tensor([epochs, self._steps])
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f"{file.name}.aside")
        aside.write_bytes(save({name: value.contiguous().cpu() for name, value in held.items()}))
        aside.replace(file)

    def resume(self, file: Path) -> int:
        """Put back what `keep` wrote; the number of epochs that it held."""
        if not file.exists():
            return 0
        held = load_file(file, device=self._device)
        epochs, self._steps = map(int, held["done"])
        self._network.load_state_dict(_part(held, "weight."))
        self._mean = _part(held, "mean.")
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(held, "moment.").items():
            place, _, kind = name.partition(".")
            moments.setdefault(int(place), {})[kind] = value.cpu() if kind == "step" else value
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return epochs


def _part(held: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}
