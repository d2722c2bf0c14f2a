"""Bytes of compressed photographs, over those of JPEG at quality 85 and of WebP as Pillow writes it."""

import hashlib
import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from skimage.metrics import structural_similarity

from features.settings import Settings
from models.image.picture import Pixels, opened
from serving.images.compress import LEAST, compress_pixels

GROCERIES = Path(__file__).parents[2].parent / "shared/data/grocery_store/images"
OF_PACKAGES = {
    "skimage": [
        f"data/{name}" for name in ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}
COUNT = 20
#: The usual files: Pillow's options of each, and the goal for bytes relative to it.
PEERS: dict[str, tuple[dict[str, Any], str]] = {
    "jpeg85": ({"format": "JPEG", "quality": 85}, "<= .7"),
    "webp": ({"format": "WEBP"}, "<= .9"),
}
NAMES = (
    *(f"vision.compress.bytes{kind}.{peer}" for kind in ("", "_at_its_ssim", "_as_jpeg") for peer in PEERS),
    "vision.compress.similar",
)


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Geometric means of relative bytes: of the smallest kind, the same at the peer's own similarity, and of JPEG."""
    contents = list(_photos())
    photos = [opened(content).pixels for content in contents]
    told = {"data_hash": hashlib.sha256(b"".join(contents)).hexdigest()}
    ours = [compress_pixels(pixels).content for pixels in photos]
    jpegs = [compress_pixels(pixels, ["JPEG"]).content for pixels in photos]
    similar = [
        _similarity(content, pixels) for made in (ours, jpegs) for content, pixels in zip(made, photos, strict=True)
    ]
    for peer, (options, goal) in PEERS.items():
        theirs = [_written(pixels, options) for pixels in photos]
        own = [_similarity(content, pixels) for content, pixels in zip(theirs, photos, strict=True)]
        said = f"geometric mean of {len(photos)} photographs; {peer} has SSIM {min(own):.3f} to {max(own):.3f}"
        equal = [compress_pixels(pixels, least=least).content for pixels, least in zip(photos, own, strict=True)]
        yield {"name": f"vision.compress.bytes.{peer}", **_relative(ours, theirs), "goal": goal, "unit": said, **told}
        yield {
            "name": f"vision.compress.bytes_at_its_ssim.{peer}",
            **_relative(equal, theirs),
            "goal": goal,
            "unit": said,
            **told,
        }
        yield {"name": f"vision.compress.bytes_as_jpeg.{peer}", **_relative(jpegs, theirs), "unit": said, **told}
    reached = float(np.mean(np.array(similar) >= LEAST))
    unit = f"share with SSIM of {LEAST} by scikit-image; least {min(similar):.4f}"
    yield {"name": "vision.compress.similar", "value": reached, "goal": ">= 1", "unit": unit, **told}


def _photos() -> Iterator[bytes]:
    for package, files in OF_PACKAGES.items():
        folder = Path(str(getattr(find_spec(package), "origin", ""))).parent
        yield from ((folder / file).read_bytes() for file in files)
    if GROCERIES.is_dir():
        every = sorted(GROCERIES.rglob("*.jpg"))
        yield from (file.read_bytes() for file in every[:: len(every) // COUNT][:COUNT])


def _written(pixels: Pixels, options: dict[str, Any]) -> bytes:
    from PIL import Image

    to = io.BytesIO()
    Image.fromarray(pixels).save(to, **options)
    return to.getvalue()


def _similarity(content: bytes, pixels: Pixels) -> float:
    return float(structural_similarity(pixels, opened(content).pixels, channel_axis=2))


def _relative(ours: list[bytes], theirs: list[bytes]) -> dict[str, float]:
    """Geometric mean of relative sizes, and its 10% and 90% quantile over photographs."""
    found = np.log([len(one) / len(other) for one, other in zip(ours, theirs, strict=True)])
    low, high = np.exp(np.quantile(found, [0.1, 0.9]))
    return {"value": float(np.exp(found.mean())), "low": float(low), "high": float(high)}
