"""Where tables come from: each source maps real data onto the canonical tables, in Parquet."""

import hashlib
from pathlib import Path

from features import lake
from features.settings import Settings
from features.sources import cdnow, complete_journey, folder

_BUNDLED = {"complete_journey": complete_journey, "cdnow": cdnow}


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the source's canonical tables into the folder `destination`.

    Args:
        source: `complete_journey`, `cdnow`, or a folder of canonical tables (Parquet or CSV), here or `s3://…`.

    Raises:
        FileNotFoundError: where there is no such source.
        ContractBroken: where a column cannot be read as its type.
    """
    destination.mkdir(parents=True, exist_ok=True)
    if source in _BUNDLED:
        _BUNDLED[source].read(destination)
    else:
        folder.read(source, destination, settings)


def fingerprint(source: str, settings: Settings) -> str:
    """A hash that changes with the source's content, without mapping it: the key that pipelines cache by."""
    digest = hashlib.sha256(source.encode() if source in _BUNDLED else b"folder")
    if lake.is_remote(source):
        remote = lake.filesystem(source, settings)
        for uri in folder.files(source, settings).values():
            digest.update(f"{uri.rsplit('/', 1)[-1]} {remote.checksum(uri)}".encode())
        return digest.hexdigest()
    files = _BUNDLED[source].files() if source in _BUNDLED else map(Path, folder.files(source, settings).values())
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
