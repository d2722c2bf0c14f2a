"""A small bag of neural networks over piecewise-linear numbers, trained in parallel and averaged."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.churn.graphs import dense
from models.churn.members import Member
from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Basis, Floats
from models.lean_torch import uncompiled

if TYPE_CHECKING:
    import torch

NETWORKS, HIDDEN, BATCH, BINS = 3, 32, 256, 6
LEARNING_RATE, WEIGHT_DECAY = 4e-3, 0.5
DROP_INPUTS, DROP_HIDDEN = 0.1, 0.5
#: Progress is kept each so many steps.
SAVE_EVERY = 100


@uncompiled()
def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> Member:
    """Fit log-odds of churn to an encoded matrix, resuming from the file `progress`.

    Every step has a generator seeded by `seed` and the step, so that a resumed fit gives the same networks. Each
    network draws its own rows with replacement.
    """
    import torch

    basis = Basis.fit(x, BINS)
    inputs = torch.from_numpy(basis.expand(x))
    truth = torch.from_numpy(np.asarray(churned, dtype=np.float32))
    layers = _start(inputs.shape[1], float(truth.mean()), seed)
    optimizer = torch.optim.AdamW(
        [{"params": layers[::2], "weight_decay": WEIGHT_DECAY}, {"params": layers[1::2], "weight_decay": 0.0}],
        lr=LEARNING_RATE,
    )
    for step in range(_resume(progress, layers, optimizer), params.steps):
        draw = torch.Generator().manual_seed(seed * params.steps + step)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * _cycle(step / params.steps)
        optimizer.zero_grad()
        torch.autograd.backward(_loss(inputs, truth, layers, draw))
        optimizer.step()
        if (step + 1) % SAVE_EVERY == 0:
            _keep(progress, layers, optimizer, step + 1)
    arrays = [layer.detach().numpy() for layer in layers]
    return Member.of(dense(basis, list(zip(arrays[::2], arrays[1::2], strict=True))))


def _start(width: int, base_rate: float, seed: int) -> list["torch.Tensor"]:
    """Weight and bias of two layers for all networks at once; He et al. (2015), answers starting at the base rate."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    hidden = torch.randn((NETWORKS, width, HIDDEN), generator=draw) * (2 / width) ** 0.5
    answer = torch.randn((NETWORKS, HIDDEN, 1), generator=draw) * (1 / HIDDEN) ** 0.5
    start = float(np.log(base_rate / (1 - base_rate)))
    layers = [hidden, torch.zeros(NETWORKS, 1, HIDDEN), answer, torch.full((NETWORKS, 1, 1), start)]
    return [layer.requires_grad_() for layer in layers]


def _loss(
    inputs: "torch.Tensor", truth: "torch.Tensor", layers: list["torch.Tensor"], draw: "torch.Generator"
) -> "torch.Tensor":
    """Of one batch, with dropout; the networks' losses added."""
    import torch

    picked = torch.randint(len(inputs), (NETWORKS, BATCH), generator=draw)
    # Several times as fast as `inputs[picked]`, and made once, so that it may be changed in place.
    rows = inputs.index_select(0, picked.flatten()).view(NETWORKS, BATCH, -1)
    kept = torch.rand(rows.shape, generator=draw) >= DROP_INPUTS
    hidden = torch.relu(rows.mul_(kept).div_(1 - DROP_INPUTS) @ layers[0] + layers[1])
    logit = (_drop(hidden, DROP_HIDDEN, draw) @ layers[2] + layers[3]).squeeze(-1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, truth[picked], reduction="none")
    return loss.mean(dim=1).sum()


def _cycle(share: float) -> float:
    """Linear warm-up over the first 30%, then half a cosine down to 0: Smith and Topin, "Super-Convergence" (2018)."""
    return float(share / 0.3 if share < 0.3 else (1 + np.cos(np.pi * (share - 0.3) / 0.7)) / 2)


def _drop(values: "torch.Tensor", share: float, draw: "torch.Generator") -> "torch.Tensor":
    import torch

    return values * (torch.rand(values.shape, generator=draw) >= share) / (1 - share)


def _keep(progress: Path, layers: list["torch.Tensor"], optimizer: "torch.optim.Optimizer", steps: int) -> None:
    moments: list[dict[str, Any]] = [optimizer.state[layer] for layer in layers]
    arrays = {f"layer{i}": layer.detach().numpy() for i, layer in enumerate(layers)}
    arrays |= {f"{name}{i}": moment[name].numpy() for i, moment in enumerate(moments) for name in moment}
    aside = progress.with_name(progress.name + ".aside")
    with aside.open("wb") as out:
        np.savez(out, allow_pickle=False, steps=np.array(steps), **arrays)
    aside.replace(progress)


def _resume(progress: Path, layers: list["torch.Tensor"], optimizer: "torch.optim.Optimizer") -> int:
    """Put back what `_keep` wrote, and say how many steps it held."""
    import torch

    if not progress.exists():
        return 0
    with np.load(progress, allow_pickle=False) as kept:
        for i, layer in enumerate(layers):
            layer.data = torch.from_numpy(kept[f"layer{i}"])
            moments = ("step", "exp_avg", "exp_avg_sq")
            optimizer.state[layer] = {name: torch.from_numpy(kept[f"{name}{i}"]) for name in moments}
        return int(kept["steps"])
