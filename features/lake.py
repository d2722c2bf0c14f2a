"""Access to local and S3 folders through fsspec."""

from pathlib import Path
from typing import Any

import fsspec

from features.settings import Settings


def is_remote(uri: str) -> bool:
    return uri.startswith("s3://")


def filesystem(uri: str, settings: Settings) -> Any:
    """The fsspec filesystem of `uri`. S3 credentials come from AWS's default chain."""
    if not is_remote(uri):
        return fsspec.filesystem("file")
    return fsspec.filesystem("s3", endpoint_url=settings.s3_endpoint_url, use_listings_cache=False)


def fetch(uri: str, destination: Path, settings: Settings) -> None:
    """Copy the file at `uri` to `destination`."""
    filesystem(uri, settings).get_file(uri, str(destination))
