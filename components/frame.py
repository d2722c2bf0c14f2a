"""The training frame written by `featurize`, for later steps."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Frame:
    """A folder with `frame.parquet` (entity key, `event_timestamp`, `split`, labels, features) and `features.json`."""

    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """`service`, `columns` (dtype by name, in order), `data_hash`, `as_of`, `cutoffs`."""
        said: dict[str, Any] = json.loads((self.folder / "features.json").read_text())
        return said

    @cached_property
    def columns(self) -> list[str]:
        """The feature columns, in order."""
        return list(self.about["columns"])

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All splits."""
        return pd.read_parquet(self.folder / "frame.parquet")

    def split(self, name: str) -> pd.DataFrame:
        """The examples of `train`, `valid` or `test`. Raises `ValueError` where there are none."""
        found = self.rows[self.rows["split"] == name].reset_index(drop=True)
        if found.empty:
            raise ValueError(f"no {name} examples: expected history for at least one, {self.folder} has none")
        return found

    def counts(self) -> dict[str, int]:
        """Number of examples by split."""
        return {str(name): int(count) for name, count in self.rows["split"].value_counts().items()}
