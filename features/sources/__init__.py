"""Where tables come from: each source maps real data onto the canonical tables, in Parquet."""

import hashlib
from pathlib import Path

from features import lake
from features.settings import Settings
from features.sources import auction_simulator, cdnow, complete_journey, folder, ipinyou

_BUNDLED = {"complete_journey": complete_journey, "cdnow": cdnow, "auction_simulator": auction_simulator}


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the source's canonical tables into the folder `destination`.

    Args:
        source: `complete_journey`, `cdnow`, `auction_simulator`, or a folder of canonical tables (Parquet or CSV) or
            of iPinYou replay files, here or `s3://…`.

    Raises:
        FileNotFoundError: where there is no such source.
        ContractBroken: where a column cannot be read as its type.
    """
    destination.mkdir(parents=True, exist_ok=True)
    if source in _BUNDLED:
        _BUNDLED[source].read(destination)
    elif ipinyou.files(source, settings):
        ipinyou.read(source, destination, settings)
    else:
        folder.read(source, destination, settings)


def fingerprint(source: str, settings: Settings) -> str:
    """A hash that changes with the source's content, without mapping it: the key that pipelines cache by."""
    digest = hashlib.sha256(source.encode() if source in _BUNDLED else b"folder")
    if lake.is_remote(source):
        remote = lake.filesystem(source, settings)
        for uri in _files(source, settings):
            digest.update(f"{uri.rsplit('/', 1)[-1]} {remote.checksum(uri)}".encode())
        return digest.hexdigest()
    files = _BUNDLED[source].files() if source in _BUNDLED else map(Path, _files(source, settings))
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _files(source: str, settings: Settings) -> list[str]:
    """The files of a folder, of replays or of canonical tables."""
    return ipinyou.files(source, settings) or list(folder.files(source, settings).values())
