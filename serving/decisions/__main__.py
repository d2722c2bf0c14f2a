"""`python -m serving.decisions`: serve decisions over HTTP until stopped.

On a cluster it runs as the InferenceService of `infra/kubernetes/base/decisions.yaml`.
"""

import argparse
import logging
import os
from pathlib import Path

from features.lazy_imports import lasting
from features.privacy import keep_private, stay_private
from features.settings import Settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.decisions", description="Serve decisions over HTTP until stopped."
    )
    parser.add_argument(
        "--models", type=Path, help="folder of signed bundles DIR/<family>; default: the registry's champions"
    )
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="parameters file with the section `decisions`"
    )
    parser.add_argument("--place", type=Path, help="folder for state and log; default: as the ADLOOP_* variables say")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 in a container behind a network policy"
    )
    parser.add_argument("--port", type=int, default=8083)
    return parser


def main() -> None:
    stay_private()
    args = parser().parse_args()
    # One thread per model: requests run in parallel, so one request must not take all cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # retried at the next look instead of blocking
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")

    with lasting():
        from serving.decisions.api.server import serve
        from serving.decisions.params import read
        from serving.decisions.predict.champions import in_folder, released

    settings = Settings()
    keep_private(settings.home)
    params, seed = read(args.params)
    current = released(settings) if args.models is None else in_folder(args.models)
    serve(current, params, seed, args.host, args.port, settings, args.place)


if __name__ == "__main__":
    main()
