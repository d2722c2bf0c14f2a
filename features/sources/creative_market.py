"""Source: Open Bandit's campaigns and a simulated market of creatives with planted effects.

Of Open Bandit, an item is a creative without texts, its position the channel, and each campaign an experiment whose
arms are the two policies; `propensity` is the mean probability that the arm's policy shows the item in that position.
Its sample of 10,000 recommendations a policy and campaign exercises the protocol, and ranks no policies.
"""

from pathlib import Path
from typing import get_args

import duckdb
import pandas as pd

from features import simulator
from features.simulator.creatives import CreativeMarket
from features.sources import open_bandit
from features.tables import SPECS, literal

TABLES = ("creatives", "impressions")
SEED = 1
COUNTS = tuple(name for name, column in SPECS["impressions"].items() if column.type == "DOUBLE")


def files() -> list[Path]:
    """What alone determines the output: the simulator's code and the logs of Open Bandit."""
    code = [Path(__file__), Path(open_bandit.__file__), *sorted(Path(simulator.__file__).parent.glob("*.py"))]
    return code + [open_bandit.file(policy, campaign) for policy, campaign in _logs()]


def read(destination: Path) -> None:
    """Write the canonical tables into `destination`."""
    market, recommended = CreativeMarket(SEED), _recommended()
    simulated = pd.DataFrame(
        {
            "creative_id": one.creative_id,
            "campaign_id": f"market-{one.campaign:02d}",
            "headline": one.copy.headline,
            "body": one.copy.body,
            "format": one.format,
        }
        for one in market.all.values()
    )
    items = pd.DataFrame({"creative_id": sorted(recommended["creative_id"].unique()), "format": "item"})
    with duckdb.connect() as db:
        db.register("made", pd.concat([simulated, items], ignore_index=True))
        db.register("shown", pd.concat([market.log(), recommended], ignore_index=True))
        _write(db, "made", "creative_id", destination / "creatives.parquet")
        # pandas has no missing numbers but NaN.
        counts = [f"nullif({name}::DOUBLE, 'NaN') AS {name}" for name in COUNTS]
        exactly = f"SELECT * REPLACE (occurred_at::TIMESTAMP AS occurred_at, {', '.join(counts)}) FROM shown"
        order = "occurred_at, creative_id, channel, audience, arm"
        _write(db, f"({exactly})", order, destination / "impressions.parquet")


def _write(db: duckdb.DuckDBPyConnection, relation: str, order: str, file: Path) -> None:
    db.execute(f"COPY (SELECT * FROM {relation} ORDER BY {order}) TO {literal(str(file))} (FORMAT parquet)")


def _logs() -> list[tuple[open_bandit.Behaviour, open_bandit.Campaign]]:
    return [(p, c) for p in get_args(open_bandit.Behaviour) for c in get_args(open_bandit.Campaign)]


def _recommended() -> pd.DataFrame:
    """Open Bandit's logs, counted by day, item, position and policy."""
    logs = [open_bandit.read(policy, of).assign(arm=policy, of=of) for policy, of in _logs()]
    every = pd.concat(logs, ignore_index=True)
    every["occurred_at"] = every["occurred_at"].dt.tz_localize(None).dt.floor("D")
    by = every.groupby(["of", "arm", "item_id", "position", "occurred_at"], as_index=False)
    counted = by.agg(impressions=("reward", "size"), clicks=("reward", "sum"), propensity=("propensity", "mean"))
    campaign = "open_bandit-" + counted["of"]
    channel = counted["position"].map({1: "left", 2: "center", 3: "right"})
    item = "open_bandit-" + counted["item_id"].astype(str)
    told = counted.assign(creative_id=item, campaign_id=campaign, experiment_id=campaign, channel=channel)
    return told.drop(columns=["of", "item_id", "position"])
