"""Variants of a picture reach the creative bandit, which finds what each audience prefers, where that was planted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
from PIL import Image

from components.featurize.step import featurize
from components.frame import Frame
from components.params import load
from features.settings import Settings
from models.creative import FAMILY
from models.creative.params import CreativeParams
from models.image.picture import Picture
from serving.decisions.decide import decide
from serving.decisions.kinds.creative import Placement
from serving.decisions.records import Predictions, State
from serving.images.choice import add, creatives
from serving.images.formats import image_format
from serving.images.variants import variants

PHOTOS = ("coffee.png", "rocket.jpg", "chelsea.png")
AUDIENCES = {"18-34": "warm", "55+": "cool"}
START, DAYS, SHOWN, RATE, PREFERRED = pd.Timestamp("2024-01-01"), 42, 400, 0.03, 1.8
SECTION = {
    "seed": 1,
    "window": {"horizon_days": 7, "step_days": 7, "min_history_days": 7},
    "components": 8,
    "trees": 10,
    "rounds": 40,
    "steps": 60,
}
PARAMS = load(Path(__file__).parents[2] / "params.yaml").decisions


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Frame, pd.DataFrame]:
    """Six weeks of impressions of all variants, of which each audience clicks one palette more."""
    folder = tmp_path_factory.mktemp("choice")
    tables = folder / "tables"
    tables.mkdir()
    for name in PHOTOS:
        photo = Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB").resize((150, 100))
        picture = Picture(np.asarray(photo), None, "PNG", 150, 100, 1, "")
        found = variants(picture, [image_format("meta.square"), image_format("meta.link")])
        add(creatives(found, name.partition(".")[0], name.partition(".")[0], "", folder / "images"), tables)
    rows, rng = pd.read_parquet(tables / "creatives.parquet"), np.random.default_rng(4)
    log = rows[["creative_id", "campaign_id", "palette"]].merge(
        pd.DataFrame({"audience": list(AUDIENCES)}), how="cross"
    )
    log = log.merge(pd.DataFrame({"occurred_at": START + pd.to_timedelta(range(DAYS), "D")}), how="cross")
    likes = log["palette"].eq(log["audience"].map(AUDIENCES))
    log = log.assign(
        channel="feed",
        impressions=float(SHOWN),
        clicks=rng.binomial(SHOWN, np.where(likes, PREFERRED, 1.0) * RATE).astype(float),
        conversions=0.0,
    )
    log.drop(columns="palette").to_parquet(tables / "impressions.parquet", index=False, coerce_timestamps="us")
    settings = Settings(home=folder / "home", images=str(folder / "images"))
    featurize(tables, "creative", SECTION, None, settings, folder / "features", online=False)
    return Frame(folder / "features"), rows


def test_each_audience_is_shown_what_it_prefers(made: tuple[Frame, pd.DataFrame], tmp_path: Path) -> None:
    frame, rows = made
    train, valid, test = (frame.split(one) for one in ("train", "valid", "test"))
    model = FAMILY.fit(train, valid, CreativeParams.read(SECTION), tmp_path)
    said = model.predict(test)
    told = test.assign(**{name: np.asarray(said[name]) for name in ("ctr", "ctr_strength")})
    palettes = dict(zip(rows["creative_id"], rows["palette"], strict=True))
    for audience, preferred in AUDIENCES.items():
        for campaign, ours in rows.groupby("campaign_id"):
            seen = told[(told["audience"] == audience) & told["creative_id"].isin(ours["creative_id"])]
            means = seen.groupby("creative_id")[["ctr", "ctr_strength"]].mean()
            asked = Placement("o", 1.7e9, "acme", str(campaign), candidates={str(one): {} for one in means.index})
            predicted = Predictions(candidates={str(one): dict(found) for one, found in means.to_dict("index").items()})
            shares = pd.Series(decide(asked, predicted, State(), PARAMS, 7).propensities)
            by_palette = shares.groupby(palettes).sum()
            assert by_palette.idxmax() == preferred, (audience, campaign, by_palette)
            assert by_palette[preferred] > 2 / len(by_palette)
