"""The creative model: four outputs of a creative in a context, each with an interval."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import pandas as pd

from models.creative import copy as copies
from models.creative.design import CreativeDesign, CreativeInputs, EncodedRows
from models.creative.members import MEMBERS, Members
from models.creative.outputs import CTR, OUTPUTS, Array, Output
from models.creative.precision import WITHIN, Precision, Spread, gamma_quantile
from models.creative.stack import MemberWeights

#: Drivers that an explanation names.
TOP = 5


@dataclass(frozen=True)
class CreativeModel:
    """An ensemble, stacked by output. Answers, for the outputs that the data told:

    `ctr` (clicks per impression), `conversion_rate` (conversions per click), `engagement` (engagements per impression),
    each with `_low` and `_high`, the interval that holds the rate of the creative over its contexts with probability
    `coverage`, and `_strength`: trials that the prediction is worth as a prior Beta(rate * strength, (1 - rate) *
    strength). `cpc` (expected price of a click, in the account's currency) with `cpc_low` and `cpc_high`.

    Attributes:
        precisions: of each rate, and `WITHIN` campaigns.
        spread: of the price; None where it is not told.
    """

    inputs: CreativeInputs
    members: Members
    stacks: Mapping[str, MemberWeights]
    precisions: Mapping[str, Precision]
    spread: Spread | None
    coverage: float

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs that it tells."""
        return self.inputs.outputs

    @property
    def beside(self) -> tuple[str, ...]:
        """Numbers that it reads in addition to its features: none."""
        return ()

    @property
    def says(self) -> frozenset[str]:
        """The names of its answers."""
        return frozenset(name for one in self.outputs for name in one.answers)

    def only(self, answers: Collection[str]) -> Self:
        """The model of the outputs that these answers are of, which says the same of them to the bit."""
        kept = tuple(one for one in self.outputs if not set(one.answers).isdisjoint(answers))
        return replace(self, inputs=replace(self.inputs, outputs=kept))

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The answers on the index of `rows`. Raises `InvalidRows` naming a column that is missing or wrong."""
        return pd.DataFrame(self._answer(self.inputs.rows(rows)), index=rows.index)

    def answer_columns(
        self, column: Callable[[str], Array], texts: Mapping[str, Sequence[str | None]]
    ) -> dict[str, Array]:
        """The answers of columns without a frame: numbers, NaN where missing, and texts."""
        return self._answer(self.inputs.picked(column, texts))

    def beats(self, first: pd.DataFrame, second: pd.DataFrame) -> Array:
        """The probability that each row of `first` has a higher click rate than the row of `second` at its place.

        Both are of one campaign: the common error of its level cancels. Raises `ValueError` for different lengths.
        """
        if len(first) != len(second):
            raise ValueError(f"expected as many creatives on both sides, got {len(first)} and {len(second)}")
        from scipy.special import ndtr

        linked, variance = zip(*(self._compared(rows) for rows in (first, second)), strict=True)
        return np.asarray(ndtr((linked[0] - linked[1]) / np.sqrt(variance[0] + variance[1])))

    def _compared(self, rows: pd.DataFrame) -> tuple[Array, Array]:
        """Logarithm of the click rate and its variance."""
        design = self.inputs.design(self.inputs.rows(rows))
        rate = CTR.unlink(self._linked(design)[CTR.name])
        return np.log(rate), 1 / self.precisions[WITHIN].events(design.exposures[CTR.name])

    def _linked(self, design: CreativeDesign) -> dict[str, Array]:
        corrections = self.members.corrections(design, self.outputs)
        return {name: self.stacks[name].linked(design.start[name], found) for name, found in corrections.items()}

    def _answer(self, rows: EncodedRows) -> dict[str, Array]:
        design, answers = self.inputs.design(rows), dict[str, Array]()
        linked = self._linked(design)
        z = NormalDist().inv_cdf((1 + self.coverage) / 2)
        for one in self.outputs:
            value = one.unlink(linked[one.name])
            answers[one.name] = value
            if one.rate:
                events = self.precisions[one.name].events(design.exposures[one.name])
                answers[f"{one.name}_low"] = gamma_quantile(value, events, -z)
                answers[f"{one.name}_high"] = gamma_quantile(value, events, z)
                answers[f"{one.name}_strength"] = events / value
            elif self.spread is not None:
                wide = np.exp(z * self.spread.own**0.5)
                answers[f"{one.name}_low"], answers[f"{one.name}_high"] = value / wide, value * wide
        return answers

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers`: what moved the log odds of a click most, up or down; .69 doubles a small rate.

        `campaign_ctr` is the level of the campaign beside the account's, `history` the creative's own record with its
        text; the others are contributions to the boosted trees, by their weight in the ensemble.
        """
        design = self.inputs.design(self.inputs.rows(rows))
        names, moved = self._effects(design)
        order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :TOP]
        drivers = [
            [{"feature": str(names[k]), "effect": float(row[k])} for k in best]
            for row, best in zip(moved, order, strict=True)
        ]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def _effects(self, design: CreativeDesign) -> tuple[Any, Array]:
        trees = np.asarray(self.members.boosters[CTR.name].predict(design.matrix, pred_contrib=True))[:, :-1]
        weight = self.stacks[CTR.name].weights[MEMBERS.index("boosting")]
        level = design.level[CTR.name] - CTR.link(np.array([self.inputs.levels.account[CTR.name]]))
        own = design.start[CTR.name] - design.level[CTR.name]
        columns = pd.DataFrame(np.vstack([weight * trees.T, level, own]))
        by = columns.groupby([*self.inputs.origins, "campaign_ctr", "history"], sort=True).sum()
        return by.index.to_numpy(), by.to_numpy().T

    def save(self, folder: Path) -> None:
        """The trees (LightGBM), `arrays.safetensors` and `model.json`."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        arrays = self.members.save(folder)
        rest: dict[str, Any] = {
            "outputs": [one.name for one in self.outputs],
            "inputs": self.inputs.to_dict(),
            "stacks": {name: stack.to_dict() for name, stack in self.stacks.items()},
            "precisions": {name: vars(one) for name, one in self.precisions.items()},
            "spread": vars(self.spread) if self.spread else None,
            "coverage": self.coverage,
        }
        if self.inputs.copy is not None:
            rest["copy"], more = copies.saved(self.inputs.copy)
            arrays |= more
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "arrays.safetensors")
        (folder / "model.json").write_text(json.dumps(rest, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote."""
        from safetensors.numpy import load_file

        rest, arrays = json.loads((folder / "model.json").read_text()), load_file(folder / "arrays.safetensors")
        outputs = tuple(one for one in OUTPUTS if one.name in rest["outputs"])
        copy = copies.loaded(rest["copy"], arrays) if "copy" in rest else None
        return cls(
            inputs=CreativeInputs.from_dict(rest["inputs"], copy, outputs),
            members=Members.load(folder, outputs, arrays),
            stacks={name: MemberWeights.from_dict(one) for name, one in rest["stacks"].items()},
            precisions={name: Precision(**one) for name, one in rest["precisions"].items()},
            spread=Spread(**rest["spread"]) if rest["spread"] else None,
            coverage=rest["coverage"],
        )
