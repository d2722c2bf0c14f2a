"""The parameters of `params.yaml`, cut to what is learnt of a small business in seconds."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PARAMS = Path(__file__).parents[2] / "params.yaml"
#: By family: what is small of its section.
SECTIONS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())


def params() -> dict[str, Any]:
    """All parameters, every family's section small, a canary judged on few requests, which come soon at these steps."""
    written = deepcopy(_written())
    written["release"] |= {"steps": [50, 100], "min_requests": 30}
    return written | {family: written[family] | small for family, small in SECTIONS.items()}


@cache
def _written() -> dict[str, Any]:
    return yaml.safe_load(PARAMS.read_text())


def section(family: str) -> dict[str, Any]:
    """A family's section, with the seed that all share."""
    written = params()
    return {**written[family], "seed": written["seed"]}


def write(file: Path, **changed: Any) -> Path:
    """All parameters as a file."""
    file.write_text(yaml.safe_dump(params() | changed))
    return file
