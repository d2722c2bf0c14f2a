"""How large the server's image is, above its base: the environment of its lock, and the code."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from features.settings import Settings

ROOT = Path(__file__).parents[2]
LOCK, CODE = ROOT / "infra" / "images" / "serve.lock", ("features", "models", "serving")
UNIT = "MB above the base image; installed from serve.lock with bytecode, as the Dockerfile does"


def rows(settings: Settings) -> list[dict[str, Any]]:
    """The row."""
    with TemporaryDirectory() as temporary:
        environment = Path(temporary) / "environment"
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
        install = ["pip", "install", "--no-config", "--quiet", "--no-deps", "--require-hashes", "--compile-bytecode"]
        install += ["-r", LOCK]
        subprocess.run([uv, *install, "--python", environment / "bin" / "python"], check=True)
        size = sum(map(_size, (environment, *(ROOT / name for name in CODE))))
    return [{"name": "infra.server_image_mb", "value": size / 1e6, "goal": "< 1500", "unit": UNIT}]


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
