"""`python -m serving.decisions`: decide over HTTP until stopped.

On a cluster it is the InferenceService of `infra/kserve/decisions.yaml`.
"""

import argparse
import logging
import os
from pathlib import Path

from features.privacy import keep_private
from features.settings import Settings


def parser() -> argparse.ArgumentParser:
    """What it is told."""
    parser = argparse.ArgumentParser(prog="python -m serving.decisions", description="Decide over HTTP until stopped.")
    parser.add_argument("--models", type=Path, help="signed bundles in DIR/<family>; default: the registry's champions")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="whose section `decisions` to decide by"
    )
    parser.add_argument("--place", type=Path, help="keep state and log there in files; default: where ADLOOP_* says")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container, behind a network policy")
    parser.add_argument("--port", type=int, default=8083)
    return parser


def main() -> None:
    args = parser().parse_args()
    # A model answers on one thread: requests are worked on side by side, not each by all cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # what is away is asked again, and not waited for
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")

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
