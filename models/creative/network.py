"""Trains the network of all outputs, each on its own likelihood."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.creative.design import CreativeDesign
from models.creative.members import Network
from models.creative.outputs import Array, Output
from models.creative.params import CreativeParams
from models.lean_torch import uncompiled

if TYPE_CHECKING:
    import torch

HIDDEN, BATCH = 32, 512
LEARNING_RATE, WEIGHT_DECAY, DROPPED = 3e-3, 0.3, 0.3


@uncompiled()
def fit(outputs: tuple[Output, ...], design: CreativeDesign, frame: pd.DataFrame, params: CreativeParams) -> Network:
    """A network that corrects where each output starts: binomial likelihoods of counts, gamma's of prices.

    Rows are drawn by their expected clicks, so that every batch tells about as much.
    """
    import torch

    width = design.matrix.shape[1]
    mean, scale = Network.standard(design.matrix)
    empty = np.zeros((0, 0), dtype=np.float32)
    inputs = torch.from_numpy(Network(mean, scale, empty, empty, empty).inputs(design.matrix))
    events, trials = _counts(outputs, frame)
    start = torch.from_numpy(np.column_stack([design.start[one.name] for one in outputs]).astype(np.float32))
    draw = torch.Generator().manual_seed(params.seed)
    rng = np.random.default_rng(params.seed)
    chance = np.sqrt(frame["impressions"].to_numpy(dtype=np.float64))
    picked = torch.from_numpy(rng.choice(len(frame), (params.steps, BATCH), p=chance / chance.sum()))
    heavy = torch.from_numpy((trials / chance[:, None]).astype(np.float32))
    light = torch.from_numpy((events / chance[:, None]).astype(np.float32))
    hidden = (torch.randn((width, HIDDEN), generator=draw) * (2 / width) ** 0.5).requires_grad_()
    bias, last = torch.zeros(HIDDEN, requires_grad=True), torch.zeros((HIDDEN, len(outputs)), requires_grad=True)
    optimizer = torch.optim.AdamW([hidden, bias, last], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE * 3, total_steps=params.steps)
    rates = torch.tensor([one.rate for one in outputs])
    scale_of = light.sum(dim=0).clamp(min=1e-9) / len(frame)
    for step in range(params.steps):
        rows = picked[step]
        optimizer.zero_grad()
        kept = (torch.rand((BATCH, width), generator=draw) >= DROPPED) / (1 - DROPPED)
        linked = start[rows] + torch.relu(inputs[rows] * kept @ hidden + bias) @ last
        loss = _losses(linked, light[rows], heavy[rows], rates) / scale_of
        torch.autograd.backward(loss.mean(dim=0).sum())
        optimizer.step()
        schedule.step()
    arrays = [one.detach().numpy() for one in (hidden, bias, last)]
    return Network(mean, scale, *arrays)


def _losses(
    linked: "torch.Tensor", events: "torch.Tensor", trials: "torch.Tensor", rates: "torch.Tensor"
) -> "torch.Tensor":
    """Negative log-likelihoods, (rows, outputs): binomial, or gamma with the events as the sum."""
    import torch

    binomial = trials * torch.nn.functional.softplus(linked) - events * linked
    gamma = trials * linked + events * torch.exp(-linked)
    return torch.where(rates, binomial, gamma)


def _counts(outputs: tuple[Output, ...], frame: pd.DataFrame) -> tuple[Array, Array]:
    """Events and trials, (rows, outputs): none of either where an example does not tell the output."""
    pairs = []
    for one in outputs:
        told = one.told(frame)
        events, trials = one.counts(frame)
        pairs.append((np.where(told, np.nan_to_num(events), 0), np.where(told, trials, 0)))
    return np.column_stack([events for events, _ in pairs]), np.column_stack([trials for _, trials in pairs])
