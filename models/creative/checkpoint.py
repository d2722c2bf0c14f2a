"""Finished parts of a fit, so that a killed run resumes with the next."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from models.creative.members import Network
from models.creative.params import CreativeParams

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True)
class FittedParts:
    """Trees and networks in a folder, named by a hash of what they were made from."""

    folder: Path
    inputs: str

    @classmethod
    def of(cls, folder: Path, train: pd.DataFrame, valid: pd.DataFrame, params: CreativeParams) -> Self:
        """The parts of these frames and parameters."""
        digest = hashlib.sha256(params.model_dump_json().encode())
        for frame in (train, valid):
            digest.update("\n".join(frame.columns).encode())
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return cls(folder, digest.hexdigest()[:16])

    def booster(self, name: str, make: Callable[[], "lightgbm.Booster"]) -> "lightgbm.Booster":
        """A LightGBM model: read, or made and kept."""
        from models.lean_lightgbm import lightgbm

        file = self.folder / f"{self.inputs}-{name}.txt"
        if not file.exists():
            self._keep(file, make().model_to_string().encode())
        return lightgbm.Booster(model_file=file)

    def network(self, name: str, make: Callable[[], Network]) -> Network:
        """A network: read, or made and kept."""
        from safetensors.numpy import load, save

        file = self.folder / f"{self.inputs}-{name}.safetensors"
        if not file.exists():
            self._keep(file, save(vars(make())))
        return Network(**load(file.read_bytes()))

    def _keep(self, file: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        aside.write_bytes(content)
        aside.replace(file)
