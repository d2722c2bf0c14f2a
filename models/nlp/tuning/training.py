"""Trains the last layers of the encoder and a linear head a task, all tasks at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.nlp.features import Array
from models.nlp.params import NlpParams
from models.nlp.tuning.batches import padded, shuffled
from models.nlp.tuning.network import LastLayers
from models.text.embedding import SIZE
from models.tuning import AveragedTraining, device

LEARNING_RATE, HEAD_LEARNING_RATE = 1.5e-4, 2e-3
#: How much slower each layer learns than the one after it.
LAYER_DECAY = 0.8
SMOOTHING = 0.1


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
    """Fine-tune on all tasks, kept in `checkpoint` after each epoch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        network = TunedNetwork(LastLayers.pretrained(params.layers), [one.count for one in tasks.values()])
        run = TuningRun(network, list(tasks.values()), params, device())
        run.train(params.seed, params.epochs, params.minutes, checkpoint / "tuned.safetensors")
    run.average()
    return network


class TuningRun(AveragedTraining):
    """One training on the texts of all tasks."""

    def __init__(self, network: TunedNetwork, tasks: Sequence[TaskExamples], params: NlpParams, device: str) -> None:
        self._tuned, self._params = network.to(device), params
        super().__init__(network, network.groups(), device)
        self._states = [one for task in tasks for one in task.states]
        self._task = np.repeat(np.arange(len(tasks)), [len(task.states) for task in tasks])
        self._codes = torch.from_numpy(np.concatenate([task.codes for task in tasks]))
        self._lengths = np.array([len(one) for one in self._states])

    def epoch(self, epoch: int) -> None:
        """Learn from every text once."""
        self._tuned.train()
        batches = list(shuffled(self._lengths, self._params.seed + epoch))
        for batch in batches:
            self.step(self._loss(batch), len(batches) * self._params.epochs)

    def _loss(self, batch: npt.NDArray[np.intp]) -> Tensor:
        vectors = self._tuned.last(*padded([self._states[place] for place in batch], self._device))
        codes = self._codes[batch].to(self._device)
        losses = []
        for task, head in enumerate(self._tuned.heads):
            here = np.flatnonzero(self._task[batch] == task)
            if len(here):
                logits = head(functional.dropout(vectors[here], 0.1))
                losses.append(functional.cross_entropy(logits, codes[here], reduction="sum", label_smoothing=SMOOTHING))
        return torch.stack(losses).sum() / len(batch)
