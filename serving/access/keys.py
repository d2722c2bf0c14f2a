"""API keys with scopes, accounts, families and rate limits; stored as hashes in one file, reloaded when it changes.

A key is 256 random bits, so a plain SHA-256 resists guessing as well as a slow hash, and is fast enough for every
request. The file contains no secrets.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from filelock import FileLock

from features.settings import Settings
from serving.access.scopes import Scope

log = logging.getLogger("adloop.access")

SCOPES: tuple[Scope, ...] = get_args(Scope)
#: Scopes that answer about customers, who belong to no account.
_OF_CUSTOMERS = frozenset[Scope]({"predict", "explain", "texts"})
_KEY = re.compile(r"adloop_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
#: What an unknown key is compared with, so that it takes as long as a wrong one.
_NOBODY = hashlib.sha256(b"").hexdigest()


class Unknown(PermissionError):
    """The key is missing or unknown."""


class Forbidden(PermissionError):
    """The key lacks the permission."""


@dataclass(frozen=True)
class Key:
    """The record of a key.

    Attributes:
        hash: SHA-256 of the secret, in hex.
        per_s: limit of opportunities and events per second.
        accounts, families: the permitted ones; None for all.
    """

    name: str
    hash: str
    scopes: tuple[Scope, ...]
    per_s: float
    accounts: frozenset[str] | None = None
    families: frozenset[str] | None = None

    def need(self, accounts: Iterable[str | None] = (), families: Iterable[str] = ()) -> None:
        """Raises `Forbidden` naming the first that is not permitted; an account None means all accounts."""
        if self.accounts is not None:
            for account in accounts:
                if account is None:
                    raise Forbidden(f"the key '{self.name}' is not for all accounts: name a permitted one")
                if account not in self.accounts:
                    raise Forbidden(f"the key '{self.name}' is not for the account '{account}'")
        if self.families is not None:
            for family in families:
                if family not in self.families:
                    raise Forbidden(f"the key '{self.name}' is not for the family '{family}'")


class Keys:
    """The keys in a home's key file. Without the file every request is refused."""

    def __init__(self, settings: Settings) -> None:
        self._path = path(settings)
        self._seen: tuple[int, ...] | None = None
        self._keys: Mapping[str, Key] = {}
        self._proved: dict[str, Key] = {}  # verified keys, until the file changes

    def check(self, given: str, scope: Scope) -> Key:
        """Authenticate and authorize a key. Raises `Unknown` or `Forbidden`; errors never contain the secret."""
        key = self._key(given)
        if scope not in key.scopes:
            raise Forbidden(f"the key '{key.name}' has no scope '{scope}'")
        return key

    def scopes(self, given: str) -> set[Scope]:
        """The scopes of a key; none of an unknown one."""
        try:
            return set(self._key(given).scopes)
        except Unknown:
            return set()

    def _key(self, given: str) -> Key:
        self._follow()
        proved = self._proved.get(given)
        if proved is not None:
            return proved
        match = _KEY.fullmatch(given)
        key = self._keys.get(match[1]) if match else None
        secret = match[2] if match else ""
        same = hmac.compare_digest(hashed(secret), key.hash if key else _NOBODY)
        if key is None or not same:
            raise Unknown("expected a known key in the header 'authorization: Bearer ...'")
        self._proved[given] = key
        return key

    def _follow(self) -> None:
        try:
            there = os.stat(self._path)  # noqa: PTH116 - asked with every request, and faster so
            seen = (there.st_mtime_ns, there.st_size, there.st_ino)
        except (FileNotFoundError, NotADirectoryError):
            self._seen, self._keys, self._proved = None, {}, {}
            return
        if seen == self._seen:
            return
        try:
            self._keys, self._seen, self._proved = read(self._path), seen, {}
        except (ValueError, TypeError, KeyError, OSError) as broken:
            self._seen = seen
            log.error("%s is unreadable, the previous keys stay valid: %s", self._path, broken)


def bearer(header: str) -> str:
    """The key in the header `authorization`; empty without one."""
    scheme, _, given = header.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def make(
    settings: Settings,
    name: str,
    scopes: Sequence[Scope],
    per_s: float,
    accounts: Collection[str] | None = None,
    families: Collection[str] | None = None,
) -> str:
    """Create a key and return its secret; only the hash is stored.

    Raises `ValueError` for a key limited to accounts with a scope about customers, as customers belong to no account.
    """
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    limits = (None if only is None else frozenset(only) for only in (accounts, families))
    key = _sound(Key(name, hashed(secret), tuple(scopes), per_s, *limits))
    place = path(settings)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(place.with_suffix(".lock"), mode=0o600):
        keys = read(place) if place.exists() else {}
        _write(place, {**keys, identity: key})
    return f"adloop_{identity}_{secret}"


def revoke(settings: Settings, name: str) -> int:
    """Revoke all keys of this name. Returns their number."""
    place = path(settings)
    with FileLock(place.with_suffix(".lock"), mode=0o600):
        keys = read(place) if place.exists() else {}
        remaining = {identity: key for identity, key in keys.items() if key.name != name}
        if len(remaining) < len(keys):
            _write(place, remaining)
    return len(keys) - len(remaining)


def read(place: Path) -> dict[str, Key]:
    """The keys of a file by their public part. Raises `ValueError`, `KeyError` or `TypeError` for an invalid file."""
    found, written = {}, json.loads(place.read_bytes())
    if not isinstance(written, dict):
        raise ValueError("expected an object of keys")
    for identity, record in written.items():
        limits = (_limit(record, what) for what in ("accounts", "families"))
        found[identity] = _sound(
            Key(str(record["name"]), str(record["hash"]), tuple(record["scopes"]), float(record["per_s"]), *limits)
        )
    return found


def path(settings: Settings) -> Path:
    """Path of the key file: `ADLOOP_API_KEYS`, or under the home."""
    return settings.api_keys or settings.home / "keys" / "api.json"


def hashed(secret: str) -> str:
    """The stored hash of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _limit(record: Mapping[str, Any], what: str) -> frozenset[str] | None:
    only = record.get(what)
    if only is None:
        return None
    if not isinstance(only, list) or not all(isinstance(one, str) for one in only):
        raise ValueError(f"key '{record['name']}': expected a list of texts or null for {what}, got {only!r}")
    return frozenset(only)


def _sound(key: Key) -> Key:
    """Validate a key. Raises `ValueError`."""
    if not set(key.scopes) <= set(SCOPES):
        raise ValueError(
            f"key '{key.name}': expected scopes among {', '.join(SCOPES)}, got {', '.join(map(str, key.scopes))}"
        )
    if key.accounts is not None and _OF_CUSTOMERS & set(key.scopes):
        raise ValueError(
            f"key '{key.name}': customers belong to no account, so a key with accounts cannot predict, explain or "
            "read texts; create one key with accounts for decisions and another without accounts for the rest"
        )
    return key


def _write(place: Path, keys: Mapping[str, Key]) -> None:
    new = place.with_name(f".{place.name}.{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({identity: asdict(key) for identity, key in keys.items()}, file, indent=1, default=sorted)
        file.flush()
        os.fsync(file.fileno())
    new.replace(place)
