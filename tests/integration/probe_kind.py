"""`python -m serving.decisions` with one more kind of decision and the family that it needs."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pandas as pd

from features.transforms import CUSTOMER
from features.views import SERVICES, Service
from models import catalog
from serving.decisions import kinds
from serving.decisions.__main__ import main
from tests.integration import probe_endpoint as probe
from tests.toyland import placement

NAME = "scores"


@dataclass(frozen=True)
class Scores:
    """Says of a visitor what family LTV says of a customer, by the same name."""

    times: float = 2.0

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"value": self.times * rows["frequency"]}, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"top_drivers": [[] for _ in rows.index]}, index=rows.index)

    def save(self, folder: Path) -> None:
        (folder / "model.json").write_text(json.dumps({"times": self.times}))


def install() -> None:
    """Put the family into the catalog, and the kind into the kinds: a module and its name each."""
    module = ModuleType(f"models.{NAME}")
    module.__dict__["FAMILY"] = replace(
        probe.family("clicks"),
        name=NAME,
        load=lambda folder: Scores(**json.loads((folder / "model.json").read_text())),
    )
    sys.modules[module.__name__] = module
    catalog.NAMES = (*catalog.NAMES, NAME)
    SERVICES[probe.SERVICE] = Service(CUSTOMER, ("rfm", "attributes"))
    sys.modules[f"{kinds.__name__}.placement"] = placement
    kinds.NAMES = (*kinds.NAMES, "placement")
    kinds.kinds.cache_clear()


def remove() -> None:
    """Take both out again."""
    kinds.NAMES = tuple(name for name in kinds.NAMES if name != "placement")
    del sys.modules[f"{kinds.__name__}.placement"]
    kinds.kinds.cache_clear()
    del SERVICES[probe.SERVICE]
    catalog.NAMES = tuple(name for name in catalog.NAMES if name != NAME)
    del sys.modules[f"models.{NAME}"]


if __name__ == "__main__":
    install()
    main()
