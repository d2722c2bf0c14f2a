"""Access to local and S3 folders through fsspec."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import UnsupportedOperation
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
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


@dataclass(frozen=True, order=True)
class Remote:
    """A path in S3, with the methods of `pathlib.Path` that are used. Columns of Parquet are read by ranges."""

    uri: str
    system: Any = field(compare=False, repr=False)
    about: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, name: str) -> "Remote":
        return Remote(f"{self.uri.rstrip('/')}/{name}", self.system)

    @property
    def name(self) -> str:
        return PurePosixPath(self.uri).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.uri).stem

    @property
    def parent(self) -> "Remote":
        return Remote(self.uri.rstrip("/").rpartition("/")[0], self.system)

    def exists(self) -> bool:
        return bool(self.system.exists(self.uri))

    def is_file(self) -> bool:
        return bool(self.system.isfile(self.uri))

    def is_dir(self) -> bool:
        return bool(self.system.isdir(self.uri))

    def glob(self, pattern: str) -> Iterator["Remote"]:
        for path, about in self.system.glob(f"{self.uri.rstrip('/')}/{pattern}", detail=True).items():
            yield Remote(f"s3://{path}", self.system, about)

    def stat(self) -> Any:
        about = self.about or self.system.info(self.uri)
        return SimpleNamespace(st_mtime=about["LastModified"].timestamp(), st_size=about["size"])

    def open(self, mode: str = "r") -> Any:
        if mode != "rb":
            raise UnsupportedOperation(f"{self.uri} is only read, not opened as '{mode}'")
        return self.system.open(self.uri, "rb")

    def read_bytes(self) -> bytes:
        return bytes(self.system.cat_file(self.uri))

    def write_bytes(self, data: bytes) -> None:
        self.system.pipe_file(self.uri, data)

    def read_text(self) -> str:
        return self.read_bytes().decode()


#: Where readers find files, here or in S3.
Place = Path | Remote


def place(uri: str, settings: Settings) -> Place:
    """The path of an address."""
    return Remote(uri, filesystem(uri, settings)) if is_remote(uri) else Path(uri)
