"""Trains the last blocks on labels and ratings at once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.image.efficientnet import BLOCKS, Array
from models.tuning import AveragedTraining, device
from models.vision.params import VisionParams
from models.vision.tuning.maps import Maps
from models.vision.tuning.network import TunedBlocks

BATCH = 32
SMOOTHING = 0.1
#: Least spread of ratings that are scaled by it.
LEAST = 1e-6


@dataclass(frozen=True)
class ImageExamples:
    """Pictures: maps of their variants, the number of their label (-1 without one), and their rating (NaN without)."""

    maps: Maps
    codes: npt.NDArray[np.int64]
    count: int
    ratings: npt.NDArray[np.float64]


@dataclass(frozen=True)
class TunedImages:
    """What was learnt: the blocks' weights, and a linear head on their vectors for labels and one for ratings."""

    arrays: dict[str, Array]
    labels: tuple[Array, Array]
    ratings: tuple[Array, float]


def tune(examples: ImageExamples, params: VisionParams, checkpoint: Path) -> TunedImages:
    """Fine-tune, kept in `checkpoint` after each epoch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        network = TunedBlocks(len(BLOCKS) - params.blocks, examples.count)
        run = ImageTraining(network, examples, params, device())
        run.train(params.seed, params.epochs, params.minutes, checkpoint / "tuned.safetensors")
    run.average()
    center, scale = _scaling(examples.ratings)
    label, rating = network.label, network.rating
    return TunedImages(
        network.arrays(),
        (label.weight.detach().numpy(), label.bias.detach().numpy()),
        (rating.weight.detach().numpy()[0] * np.float32(scale), float(rating.bias.detach()) * scale + center),
    )


class ImageTraining(AveragedTraining):
    """One training. Each epoch sees one variant of every picture; on a GPU in mixed precision."""

    def __init__(self, network: TunedBlocks, examples: ImageExamples, params: VisionParams, device: str) -> None:
        self._tuned = network.to(device)
        self._examples, self._params = examples, params
        super().__init__(network, network.groups(), device)
        center, scale = _scaling(examples.ratings)
        self._ratings = torch.from_numpy(((examples.ratings - center) / scale).astype(np.float32))
        self._codes = torch.from_numpy(examples.codes)

    def epoch(self, epoch: int) -> None:
        """Learn from every picture once."""
        self._tuned.train()
        rng = np.random.default_rng([self._params.seed, epoch])
        order = rng.permutation(len(self._codes))
        variant = rng.integers(0, self._examples.maps.shape[1], len(order))
        batches = np.array_split(order, max(len(order) // BATCH, 1))
        for batch in batches:
            maps = torch.from_numpy(np.array(self._examples.maps[batch, variant[batch]]))
            # Depthwise convolutions on a processor take a fifth less time with the channels last.
            maps = maps.to(self._device, torch.float32, memory_format=torch.channels_last)
            self.step(self._loss(maps, batch), len(batches) * self._params.epochs)

    def _loss(self, maps: Tensor, batch: npt.NDArray[np.intp]) -> Tensor:
        codes, ratings = self._codes[batch].to(self._device), self._ratings[batch].to(self._device)
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device == "cuda"):
            logits, rated = self._tuned(maps)
        labelled, given = codes >= 0, ~torch.isnan(ratings)
        entropy = functional.cross_entropy(
            logits[labelled].float(), codes[labelled], reduction="sum", label_smoothing=SMOOTHING
        )
        squares = functional.mse_loss(rated[given].float(), ratings[given], reduction="sum")
        return (entropy + squares) / len(batch)


def _scaling(ratings: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and spread of the ratings that are given; 0 and 1 without any."""
    given = ratings[~np.isnan(ratings)]
    if not len(given):
        return 0.0, 1.0
    return float(given.mean()), max(float(given.std()), LEAST)
