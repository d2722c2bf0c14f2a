"""The chain of hashes over the records of one writer."""

import hashlib
from collections.abc import Iterable
from itertools import accumulate


def genesis(chain: str) -> bytes:
    """What the first record of a chain follows: 32 bytes that are the chain's alone."""
    return hashlib.sha256(f"adloop decisions {chain}".encode()).digest()


def link(previous: bytes, written: bytes) -> bytes:
    """The hash of a record: 32 bytes over those of the record before it and over its own JSON."""
    return hashlib.sha256(previous + written).digest()


def links(previous: bytes, written: Iterable[bytes]) -> list[bytes]:
    """The hash of each record in a row of them."""
    return list(accumulate(written, link, initial=previous))[1:]
