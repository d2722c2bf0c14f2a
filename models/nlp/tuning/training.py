"""Trains the last layers of the encoder and a linear head a task, all tasks at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional

from models.nlp.features import Array
from models.nlp.params import NlpParams
from models.nlp.tuning.batches import padded, shuffled
from models.nlp.tuning.network import LastLayers
from models.text.embedding import SIZE

LEARNING_RATE, HEAD_LEARNING_RATE, WEIGHT_DECAY = 1.5e-4, 2e-3, 0.01
#: How much slower each layer learns than the one after it.
LAYER_DECAY = 0.8
#: Share of the steps that the learning rate rises in; it falls to 0 in the rest.
WARM_UP = 0.1
SMOOTHING = 0.1
#: Of the weights that are kept: their mean over about so many of the last steps.
AVERAGED = 100


@dataclass(frozen=True)
class TaskExamples:
    """Texts of one task: their states before the layers that are tuned, and their labels as numbers below `count`."""

    states: Sequence[Array]
    codes: npt.NDArray[np.int64]
    count: int


class TunedNetwork(nn.Module):
    """The last layers, and a head for each task."""

    def __init__(self, layers: LastLayers, counts: Sequence[int]) -> None:
        super().__init__()
        self.last = layers
        self.heads = nn.ModuleList(nn.Linear(SIZE, count) for count in counts)

    def linear(self) -> list[tuple[Array, Array]]:
        """Weight and bias of each head."""
        held = {name: value.detach().numpy().copy() for name, value in self.heads.state_dict().items()}
        return [(held[f"{place}.weight"], held[f"{place}.bias"]) for place in range(len(self.heads))]

    def groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups: each layer with a learning rate of its own."""
        depth = len(self.last.layers)
        layers: list[dict[str, Any]] = [
            {"params": list(layer.parameters()), "lr": LEARNING_RATE * LAYER_DECAY ** (depth - 1 - place)}
            for place, layer in enumerate(self.last.layers)
        ]
        return [*layers, {"params": list(self.heads.parameters()), "lr": HEAD_LEARNING_RATE}]


def tune(tasks: Mapping[str, TaskExamples], params: NlpParams, checkpoint: Path) -> TunedNetwork:
    """Fine-tune on all tasks; the result is the mean of the weights over the last steps.

    Each epoch is seeded by itself and kept in `checkpoint`, so that a resumed training gives the same weights. No epoch
    begins that would end after `params.minutes`, going by the one before.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        network = TunedNetwork(LastLayers.pretrained(params.layers), [one.count for one in tasks.values()]).to(device)
        run = TuningRun(network, list(tasks.values()), params, device)
        progress = checkpoint / "tuned.safetensors"
        began = time.monotonic()
        done = run.resume(progress)
        for epoch in range(done, params.epochs):
            spent = time.monotonic() - began
            if epoch > done and spent * (epoch - done + 1) / (epoch - done) > 60 * params.minutes:
                break
            torch.manual_seed(params.seed + epoch + 1)
            run.epoch(epoch)
            run.keep(progress, epoch + 1)
    return run.averaged()


class TuningRun:
    """One training: the network, its optimizer and the running mean of its weights."""

    def __init__(self, network: TunedNetwork, tasks: Sequence[TaskExamples], params: NlpParams, device: str) -> None:
        self._network, self._params, self._device = network, params, device
        self._states = [one for task in tasks for one in task.states]
        self._task = np.repeat(np.arange(len(tasks)), [len(task.states) for task in tasks])
        self._codes = torch.from_numpy(np.concatenate([task.codes for task in tasks]))
        self._lengths = np.array([len(one) for one in self._states])
        self._optimizer = torch.optim.AdamW(network.groups(), weight_decay=WEIGHT_DECAY)
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._mean = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._steps = 0

    def epoch(self, epoch: int) -> None:
        """Learn from every text once."""
        self._network.train()
        batches = list(shuffled(self._lengths, self._params.seed + epoch))
        every = len(batches) * self._params.epochs
        for batch in batches:
            share = self._steps / every
            pace = share / WARM_UP if share < WARM_UP else (1 - share) / (1 - WARM_UP)
            for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * pace
            self._optimizer.zero_grad()
            torch.autograd.backward(self._loss(batch))
            nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
            self._optimizer.step()
            self._steps += 1
            self._average()

    def _loss(self, batch: npt.NDArray[np.intp]) -> Tensor:
        vectors = self._network.last(*padded([self._states[place] for place in batch], self._device))
        codes = self._codes[batch].to(self._device)
        losses = []
        for task, head in enumerate(self._network.heads):
            here = np.flatnonzero(self._task[batch] == task)
            if len(here):
                logits = head(functional.dropout(vectors[here], 0.1))
                losses.append(functional.cross_entropy(logits, codes[here], reduction="sum", label_smoothing=SMOOTHING))
        return torch.stack(losses).sum() / len(batch)

    def _average(self) -> None:
        weight = max(1 / self._steps, 1 / AVERAGED)
        for name, value in self._network.state_dict().items():
            self._mean[name].lerp_(value, weight)

    def averaged(self) -> TunedNetwork:
        """The network with the mean weights, on the processor."""
        self._network.load_state_dict(self._mean)
        return self._network.eval().cpu()

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
