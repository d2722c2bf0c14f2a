"""What pictures show helps to predict clicks where it has an effect, here one planted on real photographs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
from PIL import Image

from components.featurize.step import featurize
from components.frame import Frame
from components.pictures import described
from features.settings import Settings
from features.simulator.creatives import START, CreativeMarket
from models.creative import FAMILY
from models.creative.params import CreativeParams

PHOTOS = ("coffee.png", "rocket.jpg", "chelsea.png")
MARKET = CreativeMarket(seed=5, campaigns=4, creatives=24, days=42, volume=200.0)
SECTION = {
    "seed": 1,
    "window": {"horizon_days": 7, "step_days": 7, "min_history_days": 7},
    "components": 8,
    "trees": 10,
    "rounds": 40,
    "steps": 60,
}
#: Share of the clicks that a dark picture loses.
LOST = 0.5


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "images").mkdir()
    (folder / "tables").mkdir()
    for name in PHOTOS:
        photo = Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB").resize((256, 256))
        photo.save(folder / "images" / f"light-{name}")
        photo.point(lambda value: value // 3).save(folder / "images" / f"dark-{name}")
    rng = np.random.default_rng(3)
    ids = list(MARKET.all)
    dark = pd.Series(rng.random(len(ids)) < 0.5, index=ids)
    images = [f"{'dark' if dark[one] else 'light'}-{rng.choice(PHOTOS)}" for one in ids]
    uris = [(folder / "images" / name).as_uri() for name in images]
    campaigns = [f"market-{one.campaign:02d}" for one in MARKET.all.values()]
    made = pd.DataFrame({"creative_id": ids, "campaign_id": campaigns, "image": uris})
    made.to_parquet(folder / "tables" / "creatives.parquet", index=False)
    log = MARKET.log()
    log["clicks"] = rng.binomial(log["clicks"].astype(int), np.where(log["creative_id"].map(dark), 1 - LOST, 1.0))
    log["conversions"] = np.minimum(log["conversions"], log["clicks"])
    counts = ["impressions", "clicks", "conversions", "engagements"]
    log.astype(dict.fromkeys(counts, float)).to_parquet(
        folder / "tables" / "impressions.parquet", index=False, coerce_timestamps="us"
    )
    settings = Settings(home=folder / "home", images=str(folder / "images"))
    assert described(folder / "tables", settings) == ()
    featurize(folder / "tables", "creative", SECTION, None, settings, folder / "features", online=False)
    return Frame(folder / "features")


def off(frame: Frame, without: tuple[str, ...], checkpoint: Path) -> float:
    """Mean squared logarithm of what is predicted for new creatives over the truth, without seeing some columns."""
    train, valid, test = (frame.split(one) for one in ("train", "valid", "test"))
    new = test[~test["creative_id"].isin(set(train["creative_id"]))]
    new = new.assign(**{name: np.nan for name in test if name.startswith("shown_")})
    days = (new["event_timestamp"] - START).dt.days + new["weekday"].astype(int)
    truth = MARKET.click_rate(new["creative_id"], new["channel"], new["audience"], days)
    truth = truth * np.where(new["image"].str.contains("dark-"), 1 - LOST, 1.0)
    seen = (one.drop(columns=list(without)) for one in (train, valid))
    model = FAMILY.fit(*seen, CreativeParams.read(SECTION), checkpoint)
    return float((np.log(model.predict(new)["ctr"] / truth) ** 2).mean())


def test_a_planted_effect_of_pictures_is_found(frame: Frame, tmp_path: Path) -> None:
    pictures = tuple(name for name in frame.split("train") if name.startswith("image_"))
    assert len(pictures) > 25
    assert off(frame, (), tmp_path / "seen") < 0.7 * off(frame, pictures, tmp_path / "blind")
