"""Bootstrapped dueling Q-networks, and their loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.bidding.dqn.state import FEATURES, KEEP, TURNS

if TYPE_CHECKING:
    import torch

    Layers = list[torch.Tensor]

#: Networks, each with its own share of the experience: Osband et al., "Deep Exploration via Bootstrapped DQN" (2016).
HEADS = 4
HIDDEN = 48
#: Weight of the conservative term: Kumar et al., "Conservative Q-Learning for Offline Reinforcement Learning" (2020).
CONSERVATIVE = 0.001


def start(seed: int, branches: int, device: "torch.device") -> "Layers":
    """Initial weights and biases of three layers for all heads: He et al. (2015), with outputs near 0.

    A branch is the action of one channel: all share the layers and the value, each has its own advantages.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    widths = ((FEATURES, HIDDEN, 2.0), (HIDDEN, HIDDEN, 2.0), (HIDDEN, 1 + branches * len(TURNS), 1e-4))
    layers = []
    for width, out, gain in widths:
        weight = torch.randn((HEADS, width, out), generator=draw) * (gain / width) ** 0.5
        layers += [weight.to(device), torch.zeros((HEADS, 1, out), device=device)]
    return [layer.requires_grad_() for layer in layers]


def resumed(before: Sequence[npt.NDArray[np.float32]], device: "torch.device") -> "Layers":
    """Layers of an earlier fit, to continue training."""
    import torch

    return [torch.tensor(layer, device=device).requires_grad_() for layer in before]


def answers(layers: "Layers", state: "torch.Tensor") -> "torch.Tensor":
    """Q of (heads, rows, branches, turns): value plus centred advantage, Wang et al., "Dueling Network Architectures"
    (2016), by branch as Tavakoli et al., "Action Branching Architectures for Deep Reinforcement Learning" (2018).
    """
    # In place: many small rows take longer to be written to new memory than to be worked out.
    hidden = (state @ layers[0]).add_(layers[1]).relu_()
    hidden = (hidden @ layers[2]).add_(layers[3]).relu_()
    both = (hidden @ layers[4]).add_(layers[5])
    value, flat = both[..., :1], both[..., 1:]
    advantage = flat.reshape(*flat.shape[:-1], -1, len(TURNS))
    return (value[..., None] + advantage).sub_(advantage.mean(dim=-1, keepdim=True))


def errors(
    layers: "Layers", target: "Layers", batch: tuple["torch.Tensor", ...]
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Temporal-difference errors and the conservative term, of (heads, rows, branches, turns) and (heads, rows).

    The network chooses the next action and the target network evaluates it: van Hasselt et al., "Deep Reinforcement
    Learning with Double Q-learning" (2016); the target is the mean over branches, as Tavakoli et al. (2018) found best.
    The conservative term pulls every action's Q down to that of the unchanged pacing bid, unless experience supports
    it.
    """
    import torch

    state, reward, after, last = batch
    with torch.no_grad():
        flat = after.reshape(-1, after.shape[-1])
        best = answers(layers, flat).argmax(dim=-1, keepdim=True)
        later = answers(target, flat).gather(-1, best).mean(dim=(-2, -1)).reshape(HEADS, *reward.shape)
        goal = reward + (1 - last[:, None, None]) * later
    found = answers(layers, state)
    return goal - found, (torch.logsumexp(found, dim=-1) - found[..., KEEP]).mean(dim=-1)


def loss(error: "torch.Tensor", conservative: "torch.Tensor", weight: "torch.Tensor") -> "torch.Tensor":
    """Loss of one batch; `weight`, of (heads, rows), is 0 where a row does not belong to a head."""
    import torch

    huber = torch.nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none").mean(dim=(-2, -1))
    return ((huber + CONSERVATIVE * conservative) * weight).mean(dim=1).sum()
