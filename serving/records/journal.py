"""The journal: entries that are no Parquet part yet, in groups that are whole or not there.

A text file. Its first line tells the chain, the sequence number of its first entry and the hash that it follows; then
come entries, a line of JSON each; a group ends with a line `= <entries so far> <hash of the last>`. Lines after the
last such line were being written when the writer was killed.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.records.chain import links

SUFFIX = ".journal"
#: What `name` makes of a chain and a sequence number.
NAME = re.compile(r"\d{13}-[0-9a-f]{12}-\d{12,}")
END = b"= "
_ENDED = re.compile(rb"^= \d+ [0-9a-f]{64}\n", re.MULTILINE)


class Journal:
    """A journal being written: held by a lock that ends with the process, so that others know it is alive."""

    def __init__(self, place: Path, chain: str, first: int, previous: bytes) -> None:
        self.path = place / f"{name(chain, first)}{SUFFIX}"
        self.chain, self.first, self.previous = chain, first, previous
        self.end, self.head = first, previous
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        self._size = 0
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._write(f"{chain} {first} {previous.hex()}\n".encode())
            sync(place)
        except OSError:
            self.remove()
            raise

    def commit(self, written: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Add a group; it is on disk when this returns. Raises `OSError`, and has then added nothing."""
        end = self.end + len(written)
        self._write(b"\n".join([*written, _end(end, hashes[-1]) + b"\n"]))
        self.end, self.head = end, hashes[-1]

    def _write(self, lines: bytes) -> None:
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Let go of it; the file stays."""
        os.close(self._file)

    def remove(self) -> None:
        """It is a part now."""
        self.path.unlink()
        self.close()


class Damaged(ValueError):
    """A journal whose beginning is not what was written: nothing says which chain its entries belong to."""


@dataclass(frozen=True)
class JournalContent:
    """What a journal holds.

    Attributes:
        first: sequence number of the first entry.
        previous: the hash it follows.
        written: the entries of its whole groups.
        rest: what follows the last whole group.
    """

    chain: str
    first: int
    previous: bytes
    written: list[bytes]
    hashes: list[bytes]
    rest: bytes

    @property
    def damaged(self) -> bool:
        """A group ends in the rest: it was whole once, and is not what was written."""
        return _ENDED.search(self.rest) is not None

    @property
    def head(self) -> bytes:
        return self.hashes[-1] if self.hashes else self.previous


def read(path: Path) -> JournalContent | None:
    """The whole groups of a journal; None where its writer was killed before the first line, or it is a part by now.

    Raises `Damaged`.
    """
    try:
        told, mark, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if not mark:
        return None
    try:
        chain, first, previous = told.decode().split(" ")
        kept = JournalContent(chain, int(first), bytes.fromhex(previous), [], [], b"")
    except ValueError as broken:
        raise Damaged(f"{path}: its first line is not that of a journal: {broken}") from broken
    if name(kept.chain, kept.first) != path.name.removesuffix(SUFFIX) or len(kept.previous) != 32:
        raise Damaged(f"{path}: its first line is that of another journal")
    group: list[bytes] = []
    taken = start = 0
    while (stop := body.find(b"\n", start)) >= 0:
        line, start = body[start:stop], stop + 1
        if not line.startswith(END):
            group.append(line)
            continue
        hashes = links(kept.head, group)
        if not group or line != _end(kept.first + len(kept.written) + len(group), hashes[-1]):
            break
        kept.written.extend(group)
        kept.hashes.extend(hashes)
        group, taken = [], start
    return JournalContent(kept.chain, kept.first, kept.previous, kept.written, kept.hashes, body[taken:])


def follow(path: Path, start: int) -> tuple[list[bytes], int]:
    """The entries of the groups after so many bytes, and the bytes up to there: for those who count, and check nothing.

    None where the journal is a part by now.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            body = file.read()
    except FileNotFoundError:
        return [], start
    length = max((found.end() for found in _ENDED.finditer(body)), default=0)
    lines = body[:length].split(b"\n")[0 if start else 1 : -1]
    return [line for line in lines if not line.startswith(END)], start + length


def _end(end: int, head: bytes) -> bytes:
    return END + f"{end} {head.hex()}".encode()


def abandoned(path: Path) -> bool:
    """Whether the process that wrote a journal is gone, and has left it."""
    try:
        with path.open("r+b") as file:  # over NFS only a file that may be written is locked for itself
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def name(chain: str, first: int) -> str:
    """What the journal and the part that begin with this entry are called: in the order of a chain."""
    return f"{chain}-{first:012d}"


def sync(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
