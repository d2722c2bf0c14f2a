"""Model bundles: folders of data files, sealed by their hashes and signed.

manifest.json      description and lineage
model/             the files of the family's `save`
reference.parquet  a sample of feature rows and the model's answers, as reference of drift detectors
usual.json         natural movement of each column before training
card.md            the model card, once evaluated
files.json         the SHA-256 of every file above; its own SHA-256 is the bundle's digest
signature.json     once signed: family, version and digest, and the Ed25519 signature of these three
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
from models.inputs import Kind, kind_of

SIGNATURE = "signature.json"
SEALS = ("files.json", SIGNATURE)
#: A model is data: no format on this list can run code when it is read.
FORMATS = {".json", ".md", ".onnx", ".txt", ".ubj", ".safetensors", ".gguf", ".parquet"}
#: How pickles (protocol 2 on) and the zip archives that carry them begin, whatever the file is called. A safetensors
#: file whose header is 640 bytes long begins with 80 02 too, but a pickle's first opcode is never 0.
CODE = re.compile(rb"\x80[\x02-\x05][^\x00]|PK\x03\x04")


class BundleTampered(ValueError):
    """A bundle that is changed, incomplete, unsigned where a signature is required, or contains code."""


class Manifest(BaseModel):
    """Description and lineage of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int = 1
    family: str
    #: None where requests bring all features.
    feature_service: str | None
    #: Feature columns in order, with their dtypes.
    columns: dict[str, str]
    #: What columns and answers hold, where their dtype does not tell.
    kinds: dict[str, Kind] = {}
    label: tuple[str, ...]
    #: The columns that move as time goes by, and how; the monitors expect it.
    moving: dict[str, Movement] = {}
    params: dict[str, Any]
    seed: int
    data_hash: str
    #: The `as_of` of the data; empty for its end.
    as_of: str = ""
    git_commit: str
    #: The version that training started from, with its digest; empty without one.
    started_from: str = ""
    metrics: dict[str, float] = {}

    @property
    def inputs(self) -> dict[str, Kind]:
        """Kind of each feature column, in order."""
        return {name: self.kinds.get(name) or kind_of(dtype) for name, dtype in self.columns.items()}

    @property
    def schema_hash(self) -> str:
        """Identity of the features the model was fitted on."""
        columns = [(name, self.kinds.get(name) or dtype) for name, dtype in self.columns.items()]
        return content_hash({"service": self.feature_service, "columns": columns})

    @property
    def params_hash(self) -> str:
        """Identity of its parameters."""
        return content_hash(self.params)


class Signed(BaseModel):
    """The content of a signature: family, version and digest of a bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    family: str
    version: str
    digest: str
    #: Hexadecimal.
    signature: str

    @property
    def statement(self) -> bytes:
        """The signed bytes."""
        return json.dumps(["adloop bundle", self.family, self.version, self.digest]).encode()

    def expect(self, folder: Path, family: str | None, version: str | None) -> None:
        """Raise `BundleTampered` where it is the bundle of another family or version."""
        for expected, said in ((family, self.family), (version, self.version)):
            if expected not in (None, said):
                asked = " ".join(filter(None, (family, version)))
                raise BundleTampered(f"{folder.name}: expected {asked}, got {self.family} {self.version}")


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
    """Natural movement by column before training, as population stability index; empty where unknown."""
    file = folder / "usual.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def content_hash(value: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A temporary folder that replaces `folder` on success and is removed on failure."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
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
    """Write an unsigned bundle to `folder`, replacing its content. `usual`: natural movement by column."""
    with aside(folder) as new:
        (new / "model").mkdir()
        model.save(new / "model")
        reference.to_parquet(new / "reference.parquet", index=False)
        (new / "usual.json").write_text(json.dumps(dict(usual or {}), indent=1))
        (new / "manifest.json").write_text(manifest.model_dump_json(indent=1))
        seal(new)


def seal(folder: Path) -> str:
    """Write the hashes of the files in `folder`, remove any old signature, and return the bundle's digest."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    sealed = json.dumps(_hashes(folder), sort_keys=True, indent=1).encode()
    _replace(folder / "files.json", sealed)
    return hashlib.sha256(sealed).hexdigest()


def sign(folder: Path, key: Ed25519PrivateKey, version: str) -> None:
    """Sign `folder` as a version of its family. Raises `BundleTampered` if it changed after it was sealed."""
    digest = verify(folder, None)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    _replace(folder / SIGNATURE, signature(key, manifest.family, version, digest).encode())


def signature(key: Ed25519PrivateKey, family: str, version: str, digest: str) -> str:
    """The content of `signature.json` for this family, version and digest."""
    signed = Signed(family=family, version=version, digest=digest, signature="")
    return signed.model_copy(update={"signature": key.sign(signed.statement).hex()}).model_dump_json(indent=1)


def verify(
    folder: Path, public_key: Ed25519PublicKey | None, family: str | None = None, version: str | None = None
) -> str:
    """Return the bundle's digest. Raises `BundleTampered` if any file changed after it was sealed.

    Args:
        public_key: if given, the bundle must be signed by its private key.
        family, version: expected in the signature; None for any.
    """
    try:
        sealed = (folder / "files.json").read_bytes()
        listed = dict(json.loads(sealed))
    except FileNotFoundError as missing:
        raise BundleTampered(f"{folder.name}: no {Path(missing.filename).name}") from missing
    except (ValueError, TypeError) as broken:
        raise BundleTampered(f"{folder.name}: files.json is not a list of hashes") from broken
    digest = hashlib.sha256(sealed).hexdigest()
    if public_key is not None:
        _signed(folder, public_key, digest).expect(folder, family, version)
    found = _hashes(folder)
    if found != listed:
        changed = sorted(name for name in {*found, *listed} if found.get(name) != listed.get(name))
        raise BundleTampered(f"{folder.name}: changed, missing or added since it was sealed: {', '.join(changed)}")
    return digest


def open_bundle(
    folder: Path, public_key: Ed25519PublicKey | None, family: str | None = None, version: str | None = None
) -> Bundle:
    """Verify a bundle as `verify` does, then load its model. Never parses an unverified bundle."""
    digest = verify(folder, public_key, family, version)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    return Bundle(folder, manifest, catalog.family(manifest.family).load(folder / "model"), digest)


def _signed(folder: Path, public_key: Ed25519PublicKey, digest: str) -> Signed:
    """The signature's content, after verification with the key and the digest."""
    try:
        signed = Signed.model_validate_json((folder / SIGNATURE).read_bytes())
        public_key.verify(bytes.fromhex(signed.signature), signed.statement)
    except FileNotFoundError as missing:
        raise BundleTampered(f"{folder.name}: no {SIGNATURE}: register it (adloop run)") from missing
    except InvalidSignature as wrong:
        raise BundleTampered(f"{folder.name}: {SIGNATURE} is not what this key signed") from wrong
    except ValueError as broken:
        raise BundleTampered(f"{folder.name}: {SIGNATURE} is not a signature") from broken
    if signed.digest != digest:
        raise BundleTampered(f"{folder.name}: files.json is not what this key signed")
    return signed


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 by path of every file except hashes and signature."""
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
