"""`python -m serving.inference --bundle DIR --name churn`: serve one bundle until stopped."""

import argparse
from pathlib import Path

from features.lazy_imports import lasting
from features.privacy import keep_private, stay_private
from features.settings import Settings


def main() -> None:
    stay_private()
    parser = argparse.ArgumentParser(prog="python -m serving.inference", description=__doc__)
    parser.add_argument(
        "--bundle",
        type=Path,
        required=True,
        help="signed bundle; refused unless it is signed for this name and version",
    )
    parser.add_argument("--name", required=True, help="the family; also the model's name in the address")
    parser.add_argument(
        "--version",
        help="version to serve; default: any, shown as the start of the bundle's digest",
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container behind a network policy")
    parser.add_argument("--http-port", type=int, default=8081)
    parser.add_argument("--grpc-port", type=int, default=8082)
    args = parser.parse_args()

    with lasting():
        from serving.inference.server import serve

    settings = Settings()
    keep_private(settings.home)
    serve(args.bundle, args.name, args.version, args.host, args.http_port, args.grpc_port, settings)


if __name__ == "__main__":
    main()
