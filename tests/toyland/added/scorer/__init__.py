"""An image scorer: how often an image is clicked, by its mean colour."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from features.tables import Tables
from models.evaluation import gates, metrics
from models.family import Family, FamilyParams
from models.inputs import InvalidRows, texts

#: The only address that is opened: a request cannot make the server read a file or call another.
SCHEME, SIDE = "data:image/png;base64,", 8


class ScorerParams(FamilyParams):
    """`images` that are learnt from."""

    images: int


def drawn(colour: np.ndarray, rng: np.random.Generator) -> str:
    """An image of about this colour, as a URI."""
    pixels = np.clip(colour + rng.normal(0, 20, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return SCHEME + b64encode(file.getvalue()).decode()


def examples(tables: Tables, params: ScorerParams, as_of: str | None, cutoff: str | None) -> pd.DataFrame:
    """Images that are clicked the more the redder they are, with the channel they ran in."""
    rng = np.random.default_rng(params.seed)
    colours = rng.uniform(0, 255, (params.images, 3))
    return pd.DataFrame(
        {
            "split": np.resize(["train", "valid", "test"], params.images),
            "image": [drawn(colour, rng) for colour in colours],
            "channel": rng.choice(["feed", "story"], params.images),
            "ctr": colours[:, 0] / 2550 + rng.normal(0, 0.01, params.images),
        }
    )


def colour(uri: str | None) -> list[float]:
    """Mean red, green and blue, in parts of 1; of no image, grey. Raises `InvalidRows`."""
    if uri is None:
        return [0.5, 0.5, 0.5]
    if not uri.startswith(SCHEME):
        raise InvalidRows("image", f"an image as {SCHEME}…", uri)
    try:
        image = Image.open(BytesIO(b64decode(uri.removeprefix(SCHEME), validate=True)), formats=["PNG"])
        return (np.asarray(image.convert("RGB"), dtype=float).mean(axis=(0, 1)) / 255).tolist()
    except (ValueError, OSError) as broken:
        raise InvalidRows("image", "a PNG image", uri) from broken


@dataclass(frozen=True)
class Scorer:
    """A linear function of the mean colour."""

    weights: list[float]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`score`: the expected click-through rate."""
        return pd.DataFrame({"score": _terms(rows) @ np.array(self.weights)}, index=rows.index)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scorer.json").write_text(json.dumps(self.weights))


def _terms(rows: pd.DataFrame) -> np.ndarray:
    colours = np.array([colour(uri) for uri in texts(rows, "image", "uri")]).reshape(-1, 3)
    story = np.array([one == "story" for one in texts(rows, "channel")], dtype=float)
    return np.column_stack([colours, story, np.ones(len(rows))])


def load(folder: Path) -> Scorer:
    return Scorer(json.loads((folder / "scorer.json").read_text()))


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: ScorerParams, checkpoint: Path) -> Scorer:
    return Scorer(np.linalg.lstsq(_terms(train), train["ctr"].to_numpy(), rcond=None)[0].tolist())


def constant(train: pd.DataFrame, valid: pd.DataFrame, params: ScorerParams, checkpoint: Path) -> Scorer:
    """The naive baseline: the mean of all."""
    return Scorer([0.0, 0.0, 0.0, 0.0, float(train["ctr"].mean())])


def embed(images: "pd.Series[str]") -> np.ndarray:
    return np.array([colour(uri) for uri in images])


FAMILY = Family(
    name="scorer",
    entity=None,
    feature_service=None,
    label=("ctr",),
    examples=examples,
    params=ScorerParams,
    fit=fit,
    load=load,
    baselines={"constant": constant},
    metrics=(metrics.rmse("ctr", "score"), metrics.mae("ctr", "score")),
    gates=(gates.beats_naive, gates.not_beaten_by_baselines, gates.not_worse_than_champion, gates.no_leak),
    context=("image", "channel"),
    kinds={"image": "uri"},
    embed={"image": embed},
    intended_use="Showing that a family may look at images.",
    limits="It sees one colour.",
)
