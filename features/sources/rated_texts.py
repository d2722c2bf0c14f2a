"""Source: short English texts whose sentiment twenty people rated (Hutto and Gilbert, "VADER", 2014; MIT licence).

4,200 tweets, 10,605 sentences of film reviews (of Pang and Lee), 3,708 of product reviews (of Hu and Liu) and 5,190 of
newspaper editorials. The source archive of the package vaderSentiment carries them, the installed package does not:
`make setup` puts the archive, checked by its hash, beside the environment's packages.

Beside them stand remarks on products, written for this project (`product_remarks.yaml`), each about one brand.
"""

import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from features.yaml_file import from_yaml

TABLES = ("texts",)
ARCHIVE = Path(sys.prefix) / "share" / "adloop" / "vaderSentiment-3.3.1.tar.gz"
_INNER = "vaderSentiment-3.3.1/additional_resources/hutto_ICWSM_2014.tar.gz"
KINDS = {
    "tweets": "tweets",
    "movies": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}
#: Mean ratings, from -4 to 4, that are far enough from 0 to be no neutral ones.
FAR = 0.5


REMARKS = Path(__file__).with_name("product_remarks.yaml")
#: Invented.
BRANDS = ("Velora", "Brinkmoor", "Tessaly", "Orvane", "Kestrelle", "Nimbra", "Halden", "Quorra")


def files() -> list[Path]:
    """The archive, and the remarks. Raises `FileNotFoundError` where it was not downloaded."""
    if not ARCHIVE.is_file():
        where = f"`make setup` downloads it to {ARCHIVE.parent}"
        raise FileNotFoundError(f"the source rated_texts needs {ARCHIVE.name}; {where}")
    return [ARCHIVE, REMARKS]


def read(destination: Path) -> None:
    """Write the canonical table into `destination`: `score` is the mean rating from -1 to 1, `label` its side."""
    every = pd.concat([*map(labelled, KINDS), remarks()], ignore_index=True)
    table = every[["text", "score", "label", "aspect", "split"]].assign(task="sentiment", language="en")
    table.to_parquet(destination / "texts.parquet", index=False)


def labelled(kind: str) -> pd.DataFrame:
    """The rated texts of one of `KINDS`: `text`, `score` and `label`."""
    rated = texts(kind)
    far = rated["score"].abs() * 4 >= FAR
    return rated.assign(label=np.where(~far, "neutral", np.where(rated["score"] > 0, "positive", "negative")))


def texts(kind: str) -> pd.DataFrame:
    """The rated texts of one of `KINDS`, in order: `text` and `score`, the mean rating from -1 to 1."""
    rows = [line.split("\t", 2) for line in _lines(f"{KINDS[kind]}_GroundTruth.txt")]
    return pd.DataFrame({"text": [row[2].strip() for row in rows], "score": [float(row[1]) / 4 for row in rows]})


def remarks() -> pd.DataFrame:
    """Remarks on invented brands: `text`, `aspect` (the brand), `label` and `split`; each alone, and beside another."""
    said = from_yaml(REMARKS.read_text())
    every = [(label, remark) for label, of_label in said.items() for remark in of_label]
    rows = []
    for place, (label, remark) in enumerate(every):
        brand, other = (BRANDS[(place + step) % len(BRANDS)] for step in (0, 3))
        alone = remark.format(brand)
        beside = every[place * 37 % len(every)][1].format(other)
        part = "test" if place % 5 == 0 else "valid" if place % 10 == 1 else "train"
        said = (alone, f"{alone}, {beside}", f"{beside}, but {alone}")
        rows += [{"text": text, "aspect": brand, "label": label, "split": part} for text in said]
    return pd.DataFrame(rows)


def _lines(name: str) -> Iterator[str]:
    """The lines of a file in the archive in the archive."""
    with (
        tarfile.open(files()[0]) as outer,
        tarfile.open(fileobj=_stream(outer, _INNER)) as inner,
        io.TextIOWrapper(_stream(inner, f"hutto_ICWSM_2014/{name}"), "utf-8", errors="replace") as lines,
    ):
        yield from (line for line in lines if line.strip())


def _stream(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = archive.extractfile(name)
    if stream is None:
        raise FileNotFoundError(f"{name}: expected a file in {ARCHIVE.name}")
    return stream
