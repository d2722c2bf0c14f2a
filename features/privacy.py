"""What every process of adloop asks of its libraries: to phone nobody, and to unpickle nothing; and of the system: to
let nobody else read what it writes."""

import logging
import os
from pathlib import Path

log = logging.getLogger("adloop")

_ASKED = {
    "DO_NOT_TRACK": "1",
    "FEAST_USAGE": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_OFFLINE": "1",
}


def stay_private() -> None:
    """Set what each library reads from the environment. Entry points call this before anything heavy is imported.

    What the user has set stays as it is.
    """
    for name, value in _ASKED.items():
        os.environ.setdefault(name, value)


def keep_private(home: Path) -> None:
    """Let only its owner read what this process and its children write, and what is in `home` already.

    Customers' and money's data lie there: state, features, requests, decisions, keys. Entry points call this first. A
    home that others own, as a mounted volume is, stays as it is; where everybody may look into it, that is said.
    """
    os.umask(0o077)
    if not home.is_dir() or not home.stat().st_mode & 0o077:
        return
    try:
        home.chmod(0o700)
    except PermissionError:
        if home.stat().st_mode & 0o007:
            log.warning("%s: everybody on this machine may read what is kept there: chmod 700", home)
