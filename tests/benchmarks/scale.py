"""What four times the data costs `adloop evaluate churn`: time and memory on a made-up shop of two sizes."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from features.settings import Settings
from features.tables import content_hash
from tests.benchmarks import shop
from tests.benchmarks.run import Measured, measure

PARAMS = Path(__file__).parents[2] / "params.yaml"
SMALL, LARGE = 250_000, 1_000_000
#: Models that are fitted as little as can be: what they take is bounded by `max_examples`, and not what is asked here.
LITTLE = {"trees": 10, "rounds": 10, "steps": 10}


def rows(settings: Settings) -> list[dict[str, Any]]:
    with TemporaryDirectory() as place:
        folder = Path(place)
        params = yaml.safe_load(PARAMS.read_text())
        params["churn"] |= {name: most for name, most in LITTLE.items() if name in params["churn"]}
        (folder / "params.yaml").write_text(yaml.safe_dump(params))
        small, large = (_evaluated(folder, transactions) for transactions in (SMALL, LARGE))
        lineage = {"data_hash": content_hash(folder / str(LARGE))}
    times = LARGE / SMALL
    size = f"at {LARGE:,} transactions; baseline: at {SMALL:,}"
    return [
        {"name": "scale.seconds", "value": large.seconds, "baseline": small.seconds, "unit": f"s, {size}"} | lineage,
        {
            "name": "scale.seconds_ratio",
            "value": large.seconds / small.seconds,
            "goal": f"<= {1.25 * times:g}",
            "unit": f"times the time, {times:g} times the transactions",
        }
        | lineage,
        {
            "name": "scale.peak_mib",
            "value": large.peak / 2**20,
            "baseline": small.peak / 2**20,
            "goal": "<= 4096",
            "unit": f"MiB, {size}",
        }
        | lineage,
        {
            "name": "scale.peak_ratio",
            "value": large.peak / small.peak,
            "goal": "<= 2",
            "unit": f"times the memory, {times:g} times the transactions",
        }
        | lineage,
    ]


def _evaluated(folder: Path, transactions: int) -> Measured:
    data = shop.write(folder / str(transactions), transactions)
    command = [sys.executable, "-m", "pipelines.cli", "evaluate", "churn", "--data", str(data)]
    return measure([*command, "--params", str(folder / "params.yaml")], folder / f"home {transactions}")
