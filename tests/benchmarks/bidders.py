"""Four models that decide a bid together: three of 200 trees and a network, trained here and shipped as ONNX bundles.

`python -m tests.benchmarks.bidders` is `python -m serving.decisions` with them in the catalog.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pandas as pd

from features.examples import Window
from features.settings import Settings
from models import bundle, catalog
from models.churn.model import session
from models.family import Family, FamilyParams
from models.keys import signing_key
from models.tabular import Encoder, Matrix
from serving.decisions.__main__ import main
from serving.decisions.kinds import bid, kinds
from serving.decisions.kinds.kind import Kind, Need

TREES, SERVICE, SEED = 200, "churn_v1", 7
#: What each model says, and what the others' answers are to it.
SAYS = {
    "clicks": ("predicted_ctr",),
    "sales": ("predicted_cvr",),
    "worth": ("expected_value",),
    "policy": ("policy_bid", "baseline_bid"),
}
READS = {"policy": ("predicted_ctr", "predicted_cvr", "expected_value")}


@dataclass(frozen=True)
class Graph:
    """An ONNX graph behind an encoder: what it answers is above nothing."""

    family: str
    encoder: Encoder
    graph: bytes

    def answer(self, encoded: Matrix) -> dict[str, Any]:
        (said,) = self._session.run(self._outputs, {self._input: encoded})
        said = np.maximum(said.reshape(len(encoded), -1), 1e-6)
        return {name: said[:, place] for place, name in enumerate(SAYS[self.family])}

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(self.answer(self.encoder.encode(rows)), index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"top_drivers": [[] for _ in rows.index]}, index=rows.index)

    def save(self, folder: Path) -> None:
        (folder / "graph.onnx").write_bytes(self.graph)
        (folder / "encoder.json").write_text(json.dumps(self.encoder.to_dict()))

    @cached_property
    def _session(self) -> Any:
        return session(self.graph)

    @cached_property
    def _outputs(self) -> list[str]:
        return [one.name for one in self._session.get_outputs()]

    @cached_property
    def _input(self) -> str:
        return str(self._session.get_inputs()[0].name)


def load(family: str, folder: Path) -> Graph:
    """What `save` wrote."""
    encoder = Encoder.from_dict(json.loads((folder / "encoder.json").read_text()))
    return Graph(family, encoder, (folder / "graph.onnx").read_bytes())


def install() -> None:
    """Put the four into the catalog, as folders and names would."""
    for name in SAYS:
        module = ModuleType(f"models.{name}")
        module.__dict__["FAMILY"] = _family(name)
        sys.modules[module.__name__] = module
    catalog.NAMES = (*catalog.NAMES, *SAYS)
    _asked_by({name: Need(family, name, "customer_id") for family, names in SAYS.items() for name in names})


def remove() -> None:
    """Take them out again."""
    for name in SAYS:
        del sys.modules[f"models.{name}"]
    catalog.NAMES = tuple(name for name in catalog.NAMES if name not in SAYS)
    _asked_by(bid.NEEDS)


def _asked_by(needs: Mapping[str, Need]) -> None:
    cast(dict[str, Kind], kinds())["bid"] = replace(bid.KIND, needs=needs)


def write(place: Path, columns: Sequence[str], settings: Settings) -> Path:
    """Train the four on made-up auctions over these features, and write signed bundles to `place/<family>`."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(4000, len(columns))).astype(np.float32)
    noise = rng.normal(size=(4, len(x)))
    rate = 1 / (1 + np.exp(3 - x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + 0.3 * noise[0]))
    sales, worth = rate * np.abs(x[:, 3] + 0.1 * noise[1]), np.exp(0.3 * x[:, 4] + 0.1 * noise[2])
    encoder = Encoder(tuple(columns), (), {})
    made = {
        "clicks": Graph("clicks", encoder, lightgbm_trees(x, rate)),
        "sales": Graph("sales", encoder, xgboost_trees(x, sales)),
        "worth": Graph("worth", encoder, lightgbm_trees(x, worth)),
    }
    said = np.column_stack([one.answer(x)[SAYS[name][0]] for name, one in made.items()])
    seen = np.hstack([said, x[:, :27]]).astype(np.float32)
    bids = np.column_stack([worth * (1 + 0.2 * np.tanh(x[:, 5])), worth])
    own = Encoder((*READS["policy"], *columns[:27]), (), {})
    made["policy"] = Graph("policy", own, network(seen, bids))
    reference = pd.DataFrame(np.hstack([said, x[:, :]])[:50], columns=[*READS["policy"], *columns]).astype("float64")
    for name, model in made.items():
        _write(place / name, model, reference[list(model.encoder.numbers)], settings)
    return place


def lightgbm_trees(x: Matrix, y: Any) -> bytes:
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    from models.lean_lightgbm import lightgbm

    settings = {"objective": "regression", "num_leaves": 31, "num_threads": 1, "verbosity": -1, "seed": SEED}
    fitted = lightgbm.train(settings, lightgbm.Dataset(x, y), TREES)
    made = convert_lightgbm(fitted, initial_types=[("x", FloatTensorType([None, x.shape[1]]))])
    return bytes(made.SerializeToString())


def xgboost_trees(x: Matrix, y: Any) -> bytes:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    from models.lean_xgboost import xgboost

    fitted = xgboost.train({"max_depth": 5, "nthread": 1, "seed": SEED}, xgboost.DMatrix(x, y), TREES)
    made = convert_xgboost(fitted, initial_types=[("x", FloatTensorType([None, x.shape[1]]))])
    return bytes(made.SerializeToString())


def network(x: Matrix, y: Any) -> bytes:
    """Layers of 128, 64 and 16, trained for a moment."""
    import io

    import torch
    from torch import nn

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    sizes = (x.shape[1], 128, 64, 16)
    layers = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), nn.ReLU())]
    made = nn.Sequential(*layers, nn.Linear(16, y.shape[1]), nn.Softplus())
    inputs, truth = torch.from_numpy(x), torch.tensor(y, dtype=torch.float32)
    optimizer = torch.optim.Adam(made.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.mse_loss(made(inputs), truth).backward()
        optimizer.step()
    file = io.BytesIO()
    options: dict[str, Any] = {"input_names": ["x"], "output_names": ["bids"], "dynamic_axes": {"x": {0: "rows"}}}
    torch.onnx.export(made.eval(), (inputs[:2],), file, dynamo=False, **options)
    return file.getvalue()


def _family(name: str) -> Family:
    return Family(
        name=name,
        entity="customer_id",
        feature_service=SERVICE,
        label=("clicked",),
        examples=lambda *_: pd.DataFrame(),
        params=FamilyParams,
        fit=lambda *_: None,
        load=lambda folder: load(name, folder),
        baselines={},
        metrics=(),
        gates=(),
    )


def _write(folder: Path, model: Graph, reference: pd.DataFrame, settings: Settings) -> None:
    manifest = bundle.Manifest(
        family=model.family,
        feature_service=SERVICE,
        columns=dict.fromkeys(reference.columns, "float64"),
        label=("clicked",),
        params={"window": Window(horizon_days=28, step_days=28, min_history_days=84).model_dump()},
        seed=SEED,
        data_hash="0" * 64,
        git_commit="0" * 40,
    )
    bundle.write(folder, model, manifest, reference)
    bundle.sign(folder, signing_key(settings), "1")


if __name__ == "__main__":
    install()
    main()
