"""Trains the last layer; with torch, and imported by nothing that answers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.tuning import AveragedTraining, device
from models.vision.boxes.examples import CODE, OFF, OVERLAP
from models.vision.boxes.head import WIDTH, BoxHead
from models.vision.params import VisionParams
from models.vision.tuning.filled import Filled

BATCH = 16
LEARNING_RATE, DROPOUT = 3e-3, 0.2
#: A cell whose box overlaps a drawn one by so much shows what it shows; by less than the second it does not.
SAME, OTHER = 0.6, 0.5
#: Offsets, in sizes of a box, from which errors count as they are and not squared.
SMOOTH = 0.1
#: The logit that scores begin at: most cells show nothing (Lin et al., "Focal Loss for Dense Object Detection", 2017).
PRIOR = -3.0
#: Pictures whose numbers are read at a time to scale them.
AT_ONCE = 100
LEAST = 1e-6


class LastLayer(nn.Module):
    """Logits of labels and offsets of edges, (cells, labels + 4), of scaled numbers (cells, WIDTH)."""

    def __init__(self, labels: int, center: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("center", center)
        self.register_buffer("scale", scale)
        self.linear = nn.Linear(WIDTH, labels + 4)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        nn.init.constant_(self.linear.bias[:labels], PRIOR)

    def forward(self, x: Tensor) -> Tensor:
        scaled = functional.dropout((x - self.center) / self.scale, DROPOUT, self.training)
        answers: Tensor = self.linear(scaled)
        return answers

    def head(self, labels: tuple[str, ...]) -> BoxHead:
        """The same on raw numbers."""
        weight = self.linear.weight.detach() / self.scale
        bias = self.linear.bias.detach() - weight @ self.center
        return BoxHead(labels, weight.numpy(), bias.numpy())


def learnt(cells: Filled, labels: tuple[str, ...], params: VisionParams, checkpoint: Path) -> BoxHead:
    """Train on `DrawnPictures.written`, kept in `checkpoint` after each epoch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        network = LastLayer(len(labels), *_scaling(cells))
        run = BoxTraining(network, cells, len(labels), params.seed, params.box_epochs, device())
        run.train(params.seed, params.box_epochs, params.minutes, checkpoint / "boxes.safetensors")
    run.average()
    return network.head(labels)


class BoxTraining(AveragedTraining):
    """One training. Each epoch sees one variant of every picture; on a GPU in mixed precision."""

    def __init__(self, network: LastLayer, cells: Filled, labels: int, seed: int, epochs: int, device: str) -> None:
        self._layer = network.to(device)
        self._cells, self._labels, self._seed, self._epochs = cells, labels, seed, epochs
        super().__init__(network, [{"params": list(network.parameters()), "lr": LEARNING_RATE}], device)

    def epoch(self, epoch: int) -> None:
        """Learn from every picture once."""
        self._layer.train()
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(len(self._cells))
        variant = rng.integers(0, self._cells.shape[1], len(order))
        batches = np.array_split(order, max(len(order) // BATCH, 1))
        for batch in batches:
            cells = (
                torch.from_numpy(np.array(self._cells[batch, variant[batch]])).to(self._device).float().flatten(0, 1)
            )
            self.step(self._loss(cells), len(batches) * self._epochs)

    def _loss(self, cells: Tensor) -> Tensor:
        """Cross-entropy of the labels and smooth L1 of the offsets (Girshick, "Fast R-CNN", 2015), a cell that shows
        something."""
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device == "cuda"):
            answers = self._layer(cells[:, :WIDTH])
        logits, offsets = answers.float().split([self._labels, 4], dim=1)
        overlap, code = cells[:, OVERLAP], cells[:, CODE].long()
        shows = functional.one_hot(code, self._labels) * (overlap >= SAME)[:, None]
        clear = (overlap >= SAME) | (overlap < OTHER)
        entropy = functional.binary_cross_entropy_with_logits(logits[clear], shows[clear].float(), reduction="sum")
        near = overlap >= OTHER
        errors = functional.smooth_l1_loss(offsets[near], cells[near, OFF], reduction="sum", beta=SMOOTH)
        return (entropy + errors) / shows.sum().clamp(min=1)


def _scaling(cells: Filled) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each number that is read."""
    count, total, squares = 0, np.zeros(WIDTH), np.zeros(WIDTH)
    for start in range(0, len(cells), AT_ONCE):
        part = cells[start : start + AT_ONCE, ..., :WIDTH].reshape(-1, WIDTH).astype(float)
        count, total, squares = count + len(part), total + part.sum(axis=0), squares + np.square(part).sum(axis=0)
    center = total / count
    scale = np.sqrt(np.maximum(squares / count - center**2, LEAST))
    return torch.from_numpy(center.astype(np.float32)), torch.from_numpy(scale.astype(np.float32))
