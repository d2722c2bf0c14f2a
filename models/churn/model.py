"""The churn model: an ONNX graph per member, the stack over them, and the booster for explanations."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn import explanation
from models.churn.members import Member
from models.churn.params import Bands
from models.churn.stacking import Array, Stack
from models.churn.survival import expected_days
from models.tabular import Encoder, Matrix

BANDS = ("low", "medium", "high")
#: Rows scored at a time: what the graphs make of them in between stays in the processor's cache.
BLOCK = 1024
#: From so many blocks on, they are spread over the cores; fewer are answered sooner by one.
BLOCKS_ALONE = 8


@dataclass(frozen=True)
class Answers:
    """The answers derived from the probability."""

    horizon_days: int
    bands: Bands

    def frame(self, probability: Array, index: "pd.Index[Any]") -> pd.DataFrame:
        """The same as a frame."""
        return pd.DataFrame(self.columns(probability), index=index)

    def columns(self, probability: Array) -> dict[str, npt.NDArray[Any]]:
        """`churn_probability`, `risk_band` and `expected_days_to_churn` of each row."""
        place = (probability > self.bands.medium).astype(int) + (probability > self.bands.high)
        return {
            "churn_probability": probability,
            "risk_band": np.asarray(BANDS, dtype=object)[place],
            "expected_days_to_churn": expected_days(probability, self.horizon_days),
        }


@dataclass(frozen=True)
class ChurnModel:
    """Predicts from the same ONNX graphs whether it was just fitted or loaded.

    Attributes:
        members: in the order of the stack's weights; each graph goes from encoded rows to log-odds.
        typical: a value a column of the encoded matrix, which a customer's is held against where no member explains.
    """

    encoder: Encoder
    members: Mapping[str, Member]
    stack: Stack
    answers: Answers
    typical: Matrix

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`churn_probability`, `risk_band` (low, medium, high) and `expected_days_to_churn` of each row."""
        return pd.DataFrame(self.answer(self.encoder.encode(rows)), index=rows.index)

    def answer(self, encoded: Matrix) -> dict[str, npt.NDArray[Any]]:
        """The same of rows that the encoder has encoded."""
        return self.answers.columns(self.stack.probability(self.logits(encoded)))

    @property
    def chosen(self) -> str:
        """The name of the only member, or `stack of` several."""
        names = list(self.members)
        return names[0] if len(names) == 1 else f"stack of {', '.join(names)}"

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers` and `intervention` of each row.

        Effects are TreeSHAP contributions (Lundberg et al., 2020) to the log-odds of churn by the boosted member that
        has most weight; without one, what the log-odds lose when a feature is set to its typical value.
        """
        x = self.encoder.encode(rows)
        logits = self.logits(x)
        why = explanation.drivers(self._effects(x), self.encoder.origins)
        bands = self.answers.columns(self.stack.probability(logits))["risk_band"]
        what = [explanation.intervention(band, row) for band, row in zip(bands, why, strict=True)]
        columns = {"top_drivers": pd.Series(why, rows.index, dtype=object), "intervention": what}
        return pd.DataFrame(columns, index=rows.index)

    def _effects(self, x: Matrix) -> npt.NDArray[np.floating[Any]]:
        trees = [(weight, member.boosted) for weight, member in self._weighted if member.boosted is not None]
        if trees:
            return max(trees, key=lambda pair: pair[0])[1].effects(x)
        return explanation.losses(lambda x: self.stack.blend(self.logits(x)), x, self.typical, self.encoder.origins)

    @property
    def _weighted(self) -> list[tuple[float, Member]]:
        return list(zip(self.stack.weights, self.members.values(), strict=True))

    def save(self, folder: Path) -> None:
        """Write `<member>.onnx` for each member, its trees beside it where it has them, and `model.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, member in self.members.items():
            member.save(folder, name)
        saved = {
            "members": list(self.members),
            "stack": self.stack.to_dict(),
            "encoder": self.encoder.to_dict(),
            "horizon_days": self.answers.horizon_days,
            "bands": self.answers.bands.model_dump(),
            "typical": self.typical.tolist(),
        }
        (folder / "model.json").write_text(json.dumps(saved, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        saved = json.loads((folder / "model.json").read_text())
        return cls(
            Encoder.from_dict(saved["encoder"]),
            {name: Member.load(folder, name) for name in saved["members"]},
            Stack.from_dict(saved["stack"]),
            Answers(saved["horizon_days"], Bands(**saved["bands"])),
            np.asarray(saved["typical"], dtype=np.float32),
        )

    def logits(self, x: npt.NDArray[np.float32]) -> Array:
        """Log-odds of churn by each member: (rows, members)."""
        blocks = [x[start : start + BLOCK] for start in range(0, len(x), BLOCK)]
        if len(blocks) < BLOCKS_ALONE:
            said = [self._said(block) for block in blocks]
        else:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                said = list(pool.map(self._said, blocks))
        return np.vstack([np.empty((0, len(self.members))), *said])

    def _said(self, x: npt.NDArray[np.float32]) -> Array:
        return np.hstack([member.run(None, {"x": x})[0] for member in self._sessions])

    @cached_property
    def _sessions(self) -> list[Any]:
        return [session(member.graph) for member in self.members.values()]


def session(graph: bytes) -> Any:
    """An ONNX session on one thread: a server runs many models side by side."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
