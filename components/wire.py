"""Data exchange of Kubeflow components: settings, numbers, and results as JSON."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.privacy import keep_private, stay_private
from features.settings import Settings
from models.kept import keep_in


def enter() -> Settings:
    """The settings of this process. Every component body calls it first, before anything heavy is imported."""
    stay_private()
    settings = Settings()
    keep_private(settings.home)
    keep_in(settings.home / "encoded")
    return settings


def whole(carried: Any) -> Any:
    """`carried` with whole floats as integers again: Kubeflow carries every number as a double."""
    if isinstance(carried, dict):
        return {key: whole(value) for key, value in carried.items()}
    if isinstance(carried, list):
        return [whole(value) for value in carried]
    return int(carried) if isinstance(carried, float) and carried.is_integer() else carried


def write(result: Any, path: str) -> None:
    """Write a step's result as JSON, atomically."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_text(json.dumps(asdict(result), default=str, indent=2))
    aside.replace(target)
