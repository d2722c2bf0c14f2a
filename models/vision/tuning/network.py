"""The last blocks of EfficientNet-Lite0 in torch, normalization folded into the convolutions, and heads on them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.image.efficientnet import BLOCKS, HEAD, SIZE, Array, Convolution, weights

LEARNING_RATE, HEAD_LEARNING_RATE = 3e-4, 3e-3
#: How much slower each block learns than the one after it.
BLOCK_DECAY = 0.9
DROPOUT = 0.2


class ImageConvolution(nn.Module):
    """One convolution as the backbone has it, starting from the packaged weights."""

    def __init__(self, one: Convolution) -> None:
        super().__init__()
        weight = np.array(weights()[f"{one.name}.weight"])
        self.weight = nn.Parameter(torch.from_numpy(weight))
        self.bias = nn.Parameter(torch.from_numpy(np.array(weights()[f"{one.name}.bias"])))
        top, left, bottom, right = one.pads
        self._pads, self._stride, self._bounded = (left, right, top, bottom), one.stride, one.bounded
        self._groups = len(weight) if one.depthwise else 1

    def forward(self, x: Tensor) -> Tensor:
        """(pictures, channels, height, width)."""
        padded = functional.pad(x, self._pads) if any(self._pads) else x
        y = functional.conv2d(padded, self.weight, self.bias, self._stride, groups=self._groups)
        return functional.relu6(y) if self._bounded else y


class TunedBlocks(nn.Module):
    """The blocks from `start` on, a linear head for labels and one for standardized ratings."""

    def __init__(self, start: int, labels: int) -> None:
        super().__init__()
        self._plan = [([_key(one) for one in block.convolutions], block.added) for block in BLOCKS[start:]]
        every = [one for block in BLOCKS[start:] for one in block.convolutions] + [HEAD]
        self.names = {_key(one): one.name for one in every}
        self.convolutions = nn.ModuleDict({_key(one): ImageConvolution(one) for one in every})
        self.label, self.rating = nn.Linear(SIZE, max(labels, 1)), nn.Linear(SIZE, 1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (pictures, labels) and ratings (pictures,)."""
        vectors = functional.dropout(self.vectors(maps), DROPOUT, self.training)
        return self.label(vectors), self.rating(vectors)[:, 0]

    def vectors(self, maps: Tensor) -> Tensor:
        """(pictures, SIZE), of maps before the tuned blocks (pictures, channels, height, width)."""
        x = maps
        for keys, added in self._plan:
            y = x
            for key in keys:
                y = self.convolutions[key](y)
            x = x + y if added else y
        pooled: Tensor = self.convolutions[_key(HEAD)](x).mean(dim=(2, 3))
        return pooled

    def arrays(self) -> dict[str, Array]:
        """Weights of the convolutions by the backbone's names."""
        return {
            f"{name}.{kind}": getattr(self.convolutions[key], kind).detach().cpu().numpy()
            for key, name in self.names.items()
            for kind in ("weight", "bias")
        }

    def groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups: each block with a learning rate of its own."""
        depth = len(self._plan)
        parts = [*(keys for keys, _ in self._plan), [_key(HEAD)]]
        blocks: list[dict[str, Any]] = [
            {
                "params": [weight for key in keys for weight in self.convolutions[key].parameters()],
                "lr": LEARNING_RATE * BLOCK_DECAY ** (depth - place),
            }
            for place, keys in enumerate(parts)
        ]
        heads = [*self.label.parameters(), *self.rating.parameters()]
        return [*blocks, {"params": heads, "lr": HEAD_LEARNING_RATE}]


def _key(one: Convolution) -> str:
    # torch parts the names of modules by points.
    return one.name.replace(".", "_")
