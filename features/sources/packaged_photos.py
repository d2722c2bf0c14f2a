"""Source: pieces of photographs that the packages scikit-image and scikit-learn carry, each degraded in a known way.

A label is what was done to a piece, and its rating follows from how much: 5 for nothing, 1 for the most. Nobody rated
these pictures, and none is an ad. What is learnt from them is technical quality (blurred, noisy, too dark), and not
whether people like a picture. All pieces of a photograph are in one split.

Pictures stand in the table as `data:` URIs, so that it can be moved, and read where no folder is shared.
"""

import base64
import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

TABLES = ("images",)
#: Photographs by split, with the package that carries them: those that show everyday things and are sharp.
PHOTOGRAPHS = {
    "train": (
        *(("skimage", f"data/{name}") for name in ("astronaut.png", "motorcycle_left.png", "rocket.jpg", "brick.png")),
        ("skimage", "data/coins.png"),
        ("sklearn", "datasets/images/flower.jpg"),
    ),
    "valid": (("skimage", "data/chelsea.png"), ("skimage", "data/grass.png")),
    "test": (
        *(("skimage", f"data/{name}") for name in ("coffee.png", "camera.png", "gravel.png")),
        ("sklearn", "datasets/images/china.jpg"),
    ),
}
#: Side of a piece in pixels, pieces of a photograph, and how far apart in pixels those are that are looked at.
SIDE, PIECES, STEP = 224, 3, 70
#: Ways to degrade a piece, in how many strengths each.
STRENGTHS = 2
BEST, WORST = 5.0, 1.0
QUALITY = 92
SEED = 14

Pixels = npt.NDArray[np.uint8]


def files() -> list[Path]:
    """The photographs' files. Raises `FileNotFoundError` where a package is not installed."""
    return [_file(package, name) for of_split in PHOTOGRAPHS.values() for package, name in of_split]


def read(destination: Path) -> None:
    """Write the canonical table into `destination`."""
    rows = [
        {"uri": _uri(pixels), "label": label, "rating": rating, "split": split}
        for split, photographs in PHOTOGRAPHS.items()
        for place, (package, name) in enumerate(photographs)
        for label, rating, pixels in _degraded(_file(package, name), np.random.default_rng([SEED, len(split), place]))
    ]
    pd.DataFrame(rows).to_parquet(destination / "images.parquet", index=False)


def _degraded(photograph: Path, rng: np.random.Generator) -> Iterator[tuple[str, float, Pixels]]:
    """Label, rating and pixels of every piece: as it is, and in each way."""
    from PIL import Image

    with Image.open(photograph) as image:
        pixels = np.asarray(image.convert("RGB"))
    for piece in _pieces(pixels):
        yield "sharp", BEST, piece
        for label, degrade in WAYS.items():
            for part in range(STRENGTHS):
                strength = (part + rng.uniform(0.2, 1.0)) / STRENGTHS
                yield label, BEST - (BEST - WORST) * strength, degrade(piece, strength, rng)


def _pieces(pixels: Pixels) -> list[Pixels]:
    """The squares with the most detail of those that begin `STEP` apart."""
    height, width = pixels.shape[:2]
    grey = pixels.mean(axis=2)
    detail = np.abs(np.diff(grey, axis=0, append=0)) + np.abs(np.diff(grey, axis=1, append=0))
    corners = [(top, left) for top in range(0, height - SIDE, STEP) for left in range(0, width - SIDE, STEP)]
    corners.sort(key=lambda at: -float(np.median(detail[at[0] : at[0] + SIDE, at[1] : at[1] + SIDE])))
    return [pixels[top : top + SIDE, left : left + SIDE] for top, left in corners[:PIECES]]


def _blurred(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.8 + 3.2 * strength)))


def _compressed(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    from PIL import Image

    with Image.open(io.BytesIO(_jpeg(pixels, round(25 - 20 * strength)))) as image:
        return np.asarray(image)


def _noisy(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    return _rounded(pixels + rng.normal(0, 8 + 42 * strength, pixels.shape))


def _dark(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    return _rounded(pixels * (0.5 - 0.4 * strength))


def _washed_out(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    share = 0.35 + 0.45 * strength
    return _rounded(pixels * (1 - share) + 215 * share)


#: What is done to a piece by its label: from pixels and a strength of up to 1 to pixels.
WAYS: dict[str, Callable[[Pixels, float, np.random.Generator], Pixels]] = {
    "blurred": _blurred,
    "compressed": _compressed,
    "noisy": _noisy,
    "dark": _dark,
    "washed_out": _washed_out,
}


def _rounded(values: npt.NDArray[Any]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _uri(pixels: Pixels) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(_jpeg(pixels, QUALITY)).decode()}"


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _file(package: str, name: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the source packaged_photos needs the package {package}")
    return Path(spec.origin).parent / name
