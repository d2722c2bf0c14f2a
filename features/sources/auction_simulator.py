"""Source: four weeks of simulated auctions of every published campaign, where no bidding log is available."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features import simulator
from features.simulator.opportunities import Simulator, join
from features.simulator.published import PUBLISHED
from features.tables import literal

TABLES = ("auctions",)
DAYS, SEED = 28, 1


def files() -> list[Path]:
    """The simulator's own code, which alone determines its output."""
    return [Path(__file__), *sorted(Path(simulator.__file__).parent.glob("*.py"))]


def read(destination: Path) -> None:
    """Write the canonical table into `destination`."""
    auctions = pd.concat([_auctions(name) for name in PUBLISHED])
    target = literal(str(destination / "auctions.parquet"))
    with duckdb.connect() as db:
        db.register("auctions", auctions)
        db.execute(f"COPY (SELECT * REPLACE (occurred_at::TIMESTAMP AS occurred_at) FROM auctions) TO {target}")


def _auctions(name: str) -> pd.DataFrame:
    source = Simulator.published(name, SEED)
    drawn = join(list(source.stream(DAYS)))
    return pd.DataFrame(
        {
            "campaign_id": np.full(len(drawn), name),
            "occurred_at": drawn.occurred_at,
            "channel": source.campaign.of_channels("name")[drawn.channel],
            "market_price": drawn.market_price,
            "click": drawn.click,
            "conversion_value": drawn.conversion_value,
            "predicted_ctr": drawn.predicted_ctr,
            "predicted_value": drawn.predicted_value,
        }
    )
