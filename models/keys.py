"""The key that signs bundles and the one that verifies them (Ed25519)."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from features.settings import Settings


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key in `ADLOOP_SIGNING_KEY`, or that of the home, created at first use and readable by its owner only."""
    if settings.signing_key is not None:
        pem = settings.signing_key.get_secret_value().encode()
    else:
        path = settings.home / "keys" / "signing.pem"
        if not path.exists():
            _make(path)
        pem = path.read_bytes()
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"the signing key must be Ed25519, not {type(key).__name__}")
    return key


def public_key(settings: Settings) -> Ed25519PublicKey:
    """The key that verifies bundles: `ADLOOP_VERIFY_KEY`, for servers without the signing key, or its public key."""
    if settings.verify_key is None:
        return signing_key(settings).public_key()
    key = load_pem_public_key(settings.verify_key.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"the verifying key must be Ed25519, not {type(key).__name__}")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle, new = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(new, path)  # unlike a rename it does not replace a key of a concurrent run
    Path(new).unlink()
