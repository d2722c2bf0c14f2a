"""Small pictures: stripes that lie or stand, in any colour, as files."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SIDE = 96


def stripes(flat: bool, wide: int, seed: int = 0) -> Image.Image:
    """Stripes over a background of a few shades, different for each seed."""
    rng = np.random.default_rng(seed)
    shades = Image.fromarray(rng.integers(0, 120, (3, 3, 3)).astype(np.uint8)).resize((SIDE, SIDE))
    lines = np.broadcast_to(np.arange(SIDE) // wide % 2, (SIDE, SIDE))[..., None]
    pixels = np.asarray(shades) + (lines.swapaxes(0, 1) if flat else lines) * 80
    return Image.fromarray((pixels + rng.normal(0, 5, pixels.shape)).clip(0, 255).astype(np.uint8))


def table(folder: Path, count: int = 48) -> pd.DataFrame:
    """A table `images`: the label tells whether stripes lie, the rating how fine they are."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(3), []
    for place in range(count):
        flat, wide = bool(place % 2), int(rng.integers(2, 13))
        file = folder / f"{place}.png"
        stripes(flat, wide, place).save(file)
        rows.append({"uri": file.as_uri(), "label": "lying" if flat else "standing", "rating": 5 - wide / 3})
    return pd.DataFrame(rows)
