"""What every process of adloop asks of its libraries: to phone nobody, and to unpickle nothing."""

import os

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
