"""Made-up replay files in iPinYou's format: clicks rare, prices whole, predictions that tell a little."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write(folder: Path, campaigns: Sequence[str] = ("11", "7"), episodes: int = 4, auctions: int = 25) -> Path:
    """Write a file a campaign into `folder`; the same campaign is always written the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for campaign in campaigns:
        rng = np.random.default_rng([int(campaign), 7])
        lines = [f"1000\t{auctions}"]
        for episode in range(1, episodes + 1):
            chance = rng.beta(1, 20, auctions)
            click, price = rng.random(auctions) < chance, rng.integers(1, 300, auctions)
            lines += [str(episode)]
            lines += [f"{int(c)}\t{p}\t{q:.17g}" for c, p, q in zip(click, price, chance, strict=True)]
        with gzip.open(folder / f"{campaign}.validation.txt.gz", "wt") as file:
            file.write("\n".join(lines) + "\n")
    return folder
