"""The hash chain over the records of one writer."""

import hashlib
from collections.abc import Iterable
from itertools import accumulate


def genesis(chain: str) -> bytes:
    """Predecessor hash of a chain's first record: 32 bytes, unique to the chain."""
    return hashlib.sha256(f"adloop decisions {chain}".encode()).digest()


def link(previous: bytes, written: bytes) -> bytes:
    """SHA-256 of a record: over the previous record's hash and its own JSON."""
    return hashlib.sha256(previous + written).digest()


def links(previous: bytes, written: Iterable[bytes]) -> list[bytes]:
    """Hashes of consecutive records."""
    return list(accumulate(written, link, initial=previous))[1:]
