"""Privacy settings of every adloop process: no telemetry, no unpickling, and files readable by the owner only."""

import logging
import os
from pathlib import Path

log = logging.getLogger("adloop")

#: Variables that turn telemetry of libraries off, and the loading of pickles.
ASKED = {
    "DO_NOT_TRACK": "1",
    "FEAST_USAGE": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def stay_private() -> None:
    """Set environment variables of the libraries; keeps values set by the user. Call it before importing them."""
    for name, value in ASKED.items():
        os.environ.setdefault(name, value)


def keep_private(home: Path) -> None:
    """Restrict files of this process and its children, and existing ones in `home`, to the owner.

    They contain customer and money data: state, features, requests, decisions, keys. A home owned by another user, such
    as a mounted volume, is unchanged; a warning is logged where it is world-readable.
    """
    os.umask(0o077)
    if not home.is_dir() or not home.stat().st_mode & 0o077:
        return
    try:
        home.chmod(0o700)
    except PermissionError:
        if home.stat().st_mode & 0o007:
            log.warning("%s: every user of this machine can read it: chmod 700", home)
