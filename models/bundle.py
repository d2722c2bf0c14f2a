"""What is shipped is what was validated: a folder of data files, sealed by their hashes and signed.

manifest.json      what it is and where it came from
model/             what the family's `save` wrote
reference.parquet  a sample of feature rows and the model's answers, for drift detectors to be fitted on
usual.json         how far each column moved in the quarter before it
card.md            the model card, once evaluated
files.json         the SHA-256 of every file above
signature          Ed25519 over files.json, once signed
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict

from features.movement import Movement
from models import catalog
from models.family import Model

SEALS = ("files.json", "signature")
#: A model is data: no format on this list can run code when it is read.
FORMATS = {".json", ".md", ".onnx", ".txt", ".ubj", ".safetensors", ".gguf", ".parquet"}
#: How pickles (protocol 2 on) and the zip archives that carry them begin, whatever the file is called. A safetensors
#: file whose header is 640 bytes long begins with 80 02 too, but a pickle's first opcode is never 0.
CODE = re.compile(rb"\x80[\x02-\x05][^\x00]|PK\x03\x04")


class BundleTampered(ValueError):
    """A bundle that is not what was validated: changed, incomplete, unsigned where a key is asked, or carrying code."""


class Manifest(BaseModel):
    """What a model is and where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int = 1
    family: str
    feature_service: str
    #: Feature columns in order, with their dtypes.
    columns: dict[str, str]
    label: tuple[str, ...]
    #: The columns that move as time goes by, and how; the monitors expect it.
    moving: dict[str, Movement] = {}
    params: dict[str, Any]
    seed: int
    data_hash: str
    #: The moment the data was read as of; empty for its end.
    as_of: str = ""
    git_commit: str
    #: The version whose parameters the fit went on from, with its digest; empty where it learnt all anew.
    started_from: str = ""
    metrics: dict[str, float] = {}

    @property
    def schema_hash(self) -> str:
        """Identity of the features the model was fitted on."""
        return content_hash({"service": self.feature_service, "columns": list(self.columns.items())})

    @property
    def params_hash(self) -> str:
        """Identity of what it was fitted by."""
        return content_hash(self.params)


@dataclass(frozen=True)
class Bundle:
    """An opened bundle, its files verified."""

    folder: Path
    manifest: Manifest
    model: Model
    digest: str

    def reference(self) -> pd.DataFrame:
        """Feature rows and answers from training, to compare live ones with."""
        return pd.read_parquet(self.folder / "reference.parquet")


def usual(folder: Path) -> dict[str, float]:
    """By column how far it moved in the quarter before the reference: its stability index. Empty where that is not
    told."""
    file = folder / "usual.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def content_hash(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder to write in: it takes the place of `folder` if the block ends well, and vanishes if it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    new.chmod(0o755)  # a server may run as another user
    try:
        yield new
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            folder.replace(old)
            new.replace(folder)
            shutil.rmtree(old)
        else:
            new.replace(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def write(
    folder: Path,
    model: Model,
    manifest: Manifest,
    reference: pd.DataFrame,
    usual: Mapping[str, float] | None = None,
) -> None:
    """Write an unsigned bundle to `folder`, replacing what was there. `usual`: how far columns move by themselves."""
    with aside(folder) as new:
        (new / "model").mkdir()
        model.save(new / "model")
        reference.to_parquet(new / "reference.parquet", index=False)
        (new / "usual.json").write_text(json.dumps(dict(usual or {}), indent=1))
        (new / "manifest.json").write_text(manifest.model_dump_json(indent=1))
        seal(new)


def seal(folder: Path) -> str:
    """Write the hashes of the files in `folder`, take any old signature away, and return the bundle's digest."""
    (folder / "signature").unlink(missing_ok=True)
    sealed = json.dumps(_hashes(folder), sort_keys=True, indent=1).encode()
    _replace(folder / "files.json", sealed)
    return hashlib.sha256(sealed).hexdigest()


def sign(folder: Path, key: Ed25519PrivateKey) -> None:
    """Sign what is in `folder` now. Raises `BundleTampered` if that is not what was sealed."""
    verify(folder, None)
    _replace(folder / "signature", key.sign((folder / "files.json").read_bytes()))


def verify(folder: Path, public_key: Ed25519PublicKey | None) -> str:
    """Raise `BundleTampered` unless every file is the one that was sealed, and signed where a key is given.

    Returns the bundle's digest.
    """
    try:
        sealed = (folder / "files.json").read_bytes()
        listed = dict(json.loads(sealed))
        if public_key is not None:
            public_key.verify((folder / "signature").read_bytes(), sealed)
    except FileNotFoundError as missing:
        raise BundleTampered(f"{folder.name}: no {Path(missing.filename).name}") from missing
    except InvalidSignature as wrong:
        raise BundleTampered(f"{folder.name}: files.json is not what this key signed") from wrong
    except (ValueError, TypeError) as broken:
        raise BundleTampered(f"{folder.name}: files.json is not a list of hashes") from broken
    found = _hashes(folder)
    if found != listed:
        changed = sorted(name for name in {*found, *listed} if found.get(name) != listed.get(name))
        raise BundleTampered(f"{folder.name}: changed, missing or added since it was sealed: {', '.join(changed)}")
    return hashlib.sha256(sealed).hexdigest()


def open_bundle(folder: Path, public_key: Ed25519PublicKey | None) -> Bundle:
    """Verify a bundle, then load its model. Raises `BundleTampered`; nothing of an unverified bundle is parsed."""
    digest = verify(folder, public_key)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    return Bundle(folder, manifest, catalog.family(manifest.family).load(folder / "model"), digest)


def _hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file but the seals, by its path in the bundle."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BundleTampered(f"{folder.name}: {name} is not a plain file or folder")
        if path.is_file() and name not in SEALS:
            hashes[name] = _hash(path)
    return hashes


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        if path.suffix not in FORMATS or CODE.match(file.read(4)):
            raise BundleTampered(f"{path.name}: not one of the data formats {', '.join(sorted(FORMATS))}")
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
