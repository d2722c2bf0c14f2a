"""Writes to each platform's fake while answers are lost, it throttles and the writer is killed: what is doubled or
lost, beside a plain loop that sends again what was not answered."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from features.settings import Settings
from serving.integrations import catalog
from serving.integrations.change import to_json
from tests.fakes import catalog as fakes
from tests.fakes.ordeal import survive

WRITES, KILLS, SEED = 1000, 12, 0


def rows(_: Settings) -> Iterator[dict[str, Any]]:
    for name in catalog.NAMES:
        with tempfile.TemporaryDirectory() as folder:
            with_ledger = survive(name, Path(folder) / "ledger", WRITES, KILLS, SEED)
            plain = survive(name, Path(folder) / "loop", WRITES, KILLS, SEED, ledger=False)
        changes = "".join(map(to_json, fakes.fake(name).creations(WRITES)))
        about = f"doubled and lost of {WRITES} writes, {with_ledger.kills} kills; baseline: send until answered"
        yield {
            "name": f"integrations.{name}.exactly_once",
            "value": float(with_ledger.wrong),
            "baseline": float(plain.wrong),
            "goal": "<= 0",
            "unit": about,
            "seed": SEED,
            "data_hash": hashlib.sha256(changes.encode()).hexdigest()[:12],
        }
