"""Parameters of logged decisions, stored once beside the log."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from features.lake import Place
from serving.decisions.params import DecisionParams
from serving.records import parts


def keep(place: Path, params: DecisionParams) -> str:
    """Store the parameters; returns their name, a hash of their content."""
    written = params.model_dump_json().encode()
    name = hashlib.sha256(written).hexdigest()
    target = place / "params" / f"{name}.json"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}.writing")
        draft.write_bytes(written)
        parts.appear(draft, target)
    return name


def read(place: Place, name: str) -> DecisionParams:
    """Read parameters by name. Raises `ValueError` where the file was changed."""
    written = (place / "params" / f"{name}.json").read_bytes()
    if hashlib.sha256(written).hexdigest() != name:
        raise ValueError(f"the parameters {place / 'params' / name}.json were changed")
    return DecisionParams.model_validate_json(json.dumps(_as_now(json.loads(written))))


def _as_now(stored: Any) -> Any:
    """Convert parameters of earlier versions, which have one expiry time for bids and offers."""
    keeping = stored["keeping"]
    if "expires_s" in keeping:
        keeping["settles_s"] = stored["retention"]["valid_s"] = keeping.pop("expires_s")
    return stored
