"""The toy family and frames for it, for tests that need a family but not its training or its features."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import models
from features import views
from features.transforms import CUSTOMER
from models import catalog

SECTION = {
    "seed": 3,
    "window": {"horizon_days": 28, "step_days": 56, "min_history_days": 84},
    "penalty": 10.0,
    "steps": 12,
}
ADDED = Path(__file__).parent / "added"


#: The families that are of no customers, each with its section of the parameters.
OTHERS: dict[str, dict[str, Any]] = {
    "bandit": {"seed": 3, "rounds": 3000, "ridge": 1.0},
    "writer": {"seed": 3, "briefs": 900},
    "scorer": {"seed": 3, "images": 900},
}


def add(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """All that a new family touches beside its section: the folder, the catalog name and a FeatureService or none."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(ADDED)])
    monkeypatch.setattr(catalog, "NAMES", (*catalog.NAMES, *(names or ("toy",))))
    monkeypatch.setitem(views.SERVICES, "toy_v1", views.Service(CUSTOMER, ("rfm", "attributes")))


def frame(rows: int = 1500, seed: int = 11) -> pd.DataFrame:
    """Customers who leave the more likely the longer they are silent and the less they spend; groups are alike."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(rows)],
            "event_timestamp": pd.Timestamp("2024-01-01"),
            "split": np.resize(["train", "train", "valid", "test"], rows),
            "recency_days": rng.gamma(2, 15, rows),
            "spend": rng.lognormal(3, 1, rows),
            "age": rng.choice(["18-34", "35-54", "55+"], rows),
            "plan": rng.choice(["basic", "gold", None], rows),
        }
    )
    score = 0.04 * made["recency_days"] - 0.8 * np.log(made["spend"]) + (made["plan"] == "basic") + 0.3
    made["churned"] = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
    return made


def write(folder: Path, made: pd.DataFrame | None = None, data_hash: str = "made") -> Path:
    """The frame as `featurize` leaves it."""
    made = frame() if made is None else made
    folder.mkdir(parents=True, exist_ok=True)
    made.to_parquet(folder / "frame.parquet", index=False)
    features = made.drop(columns=["customer_id", "event_timestamp", "split", "churned"])
    about = {
        "service": "toy_v1",
        "data_hash": data_hash,
        "as_of": "2024-02-01T00:00:00",
        "columns": {name: str(dtype) for name, dtype in features.dtypes.items()},
    }
    (folder / "features.json").write_text(json.dumps(about))
    return folder


def killed(work: Callable[[], object]) -> None:
    """Run `work` in a child process that is expected to be killed by it (see `kill_after`)."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the work ended before it was killed"


def kill_after(function: Callable[..., object], calls: int = 1) -> Callable[..., object]:
    """`function`, except that the process is killed (kill -9) once it returned for the last of so many calls."""
    left = calls

    def deadly(*args: object, **kwargs: object) -> object:
        nonlocal left
        result = function(*args, **kwargs)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return deadly
