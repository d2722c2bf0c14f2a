"""A small simulated market with planted effects, and how a model learns from it in seconds."""

from pathlib import Path
from typing import Any

import pandas as pd

from components.featurize.step import featurize
from components.frame import Frame
from features.settings import Settings
from features.simulator.creatives import CreativeMarket
from models.creative import FAMILY
from models.creative.model import CreativeModel
from models.creative.params import CreativeParams

MARKET = CreativeMarket(seed=3, campaigns=6, creatives=30, days=49, volume=150.0)
SECTION: dict[str, Any] = {
    "seed": 1,
    "window": {"horizon_days": 7, "step_days": 7, "min_history_days": 7},
    "components": 12,
    "trees": 15,
    "rounds": 60,
    "steps": 150,
}


def frame_of(folder: Path, log: pd.DataFrame) -> Frame:
    """The training frame of a log of the market."""
    (folder / "tables").mkdir()
    made = [
        {"creative_id": one.creative_id, "headline": one.copy.headline, "body": one.copy.body, "format": one.format}
        for one in MARKET.all.values()
    ]
    campaigns = [f"market-{one.campaign:02d}" for one in MARKET.all.values()]
    pd.DataFrame(made).assign(campaign_id=campaigns).to_parquet(folder / "tables" / "creatives.parquet", index=False)
    log.to_parquet(folder / "tables" / "impressions.parquet", index=False, coerce_timestamps="us")
    home = Settings(home=folder / "home")
    featurize(folder / "tables", "creative", SECTION, None, home, folder / "features", online=False)
    return Frame(folder / "features")


def fitted(frame: Frame, checkpoint: Path, **changed: Any) -> CreativeModel:
    params = CreativeParams.read(SECTION | changed)
    model = FAMILY.fit(frame.split("train"), frame.split("valid"), params, checkpoint)
    assert isinstance(model, CreativeModel)
    return model
