"""Few simulated campaigns with few auctions a day, and a champion of bidding that has learnt them."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from components.featurize.step import featurize
from components.train.step import train
from features.settings import Settings
from features.simulator.opportunities import Simulator, join
from features.simulator.published import PUBLISHED
from models import bundle
from models.registry import Registry

PARAMS = Path(__file__).parents[2] / "params.yaml"
#: Few auctions a day: no module is to take more than a minute.
DAILY, CAMPAIGNS = 220, ("1458", "2997", "search")


def shrink(patch: pytest.MonkeyPatch, **changed: Any) -> None:
    """Leave only these campaigns among the published ones, each with so few auctions, and changed so."""
    small = {name: PUBLISHED[name].model_copy(update={"daily": DAILY, **changed}) for name in CAMPAIGNS}
    for name in [name for name in PUBLISHED if name not in small]:
        patch.delitem(PUBLISHED, name)
    for name, campaign in small.items():
        patch.setitem(PUBLISHED, name, campaign)


def champion(root: Path, settings: Settings, policy: str, **changed: Any) -> None:
    """Train a policy on four simulated weeks and make it the champion; its features are online. `changed` is what
    differs from bidding's section of the parameters.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("models.bidding.fit"), "CANDIDATES", (policy,))
        (root / "tables").mkdir()
        pd.concat([_auctions(name) for name in PUBLISHED]).to_parquet(root / "tables" / "auctions.parquet")
        featurize(root / "tables", "bidding", section(**changed), None, settings, root / "features")
        train(root / "features", "bidding", section(**changed), root / "checkpoint", root / "bundle")
    registry = Registry(settings)
    accepted = registry.register(root / "bundle", judged(root / "bundle", root / "evaluation"))
    registry.promote("bidding", accepted.version)


def section(**changed: Any) -> dict[str, Any]:
    """Bidding's section of the parameters."""
    written = yaml.safe_load(PARAMS.read_text())
    return {**written["bidding"], "seed": written["seed"], "auctions": DAILY // 2, **changed}


def judged(trained: Path, place: Path) -> Path:
    """A verdict as the gate step writes it: every gate has let it through."""
    place.mkdir()
    said = {"metrics": {}, "gates": [], "passed": True, "bundle_digest": bundle.verify(trained, None)}
    (place / "evaluation.json").write_text(json.dumps(said))
    (place / "card.md").write_text("a policy")
    return place


def _auctions(name: str) -> pd.DataFrame:
    source = Simulator.published(name, 1)
    drawn = join(list(source.stream(28)))
    columns = ("occurred_at", "market_price", "click", "conversion_value", "predicted_ctr", "predicted_value")
    told = {column: getattr(drawn, column) for column in columns}
    channel = source.campaign.of_channels("name")[drawn.channel]
    return pd.DataFrame({"campaign_id": name, "channel": channel, **told})
