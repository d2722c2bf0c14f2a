"""`python -m serving.texts`: serve drafts, social listening and conversations over HTTP until stopped.

On a cluster it runs as the InferenceService of `infra/kubernetes/base/texts.yaml`.
"""

import argparse
import logging
import os

from features.lazy_imports import lasting
from features.privacy import keep_private, stay_private
from features.settings import Settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m serving.texts", description="Serve texts over HTTP until stopped.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 in a container behind a network policy"
    )
    parser.add_argument("--port", type=int, default=8084)
    return parser


def main() -> None:
    stay_private()
    args = parser().parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # requests run beside each other
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # retried at the next look instead of blocking
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds; a request waits for the first look
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")

    with lasting():
        import uvicorn

        from serving.texts.app import make_app

    settings = Settings()
    keep_private(settings.home)
    uvicorn.run(
        make_app(settings),
        host=args.host,
        port=args.port,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
