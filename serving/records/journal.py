"""Journals: records that are not in a Parquet part yet, in groups that are written whole or not at all.

A journal is a text file. Its first line has the chain, the sequence number of its first record, and the previous hash.
Then follow records, one line of JSON each; a group ends with a line `= <records so far> <hash of the last>`. Lines
after the last such line are an unfinished group of a killed writer.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.lake import Place
from serving.records.chain import links

SUFFIX = ".journal"
#: File name of a journal, see `name`.
NAME = re.compile(r"\d{13}-[0-9a-f]{12}-\d{12,}")
END = b"= "
_ENDED = re.compile(rb"^= \d+ [0-9a-f]{64}\n", re.MULTILINE)


class Journal:
    """A journal being written. Its lock ends with the process, so that others can tell that it is alive."""

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
        """Release the lock; the file stays."""
        os.close(self._file)

    def remove(self) -> None:
        """Delete the file after it became a part."""
        self.path.unlink()
        self.close()


class Damaged(ValueError):
    """A journal with an invalid first line, so that its chain is unknown."""


@dataclass(frozen=True)
class JournalContent:
    """Content of a journal.

    Attributes:
        first: sequence number of the first record.
        previous: hash of the record before.
        written: records of complete groups.
        rest: bytes after the last complete group.
    """

    chain: str
    first: int
    previous: bytes
    written: list[bytes]
    hashes: list[bytes]
    rest: bytes

    @property
    def damaged(self) -> bool:
        """Whether the rest contains the end of a group, so that complete records were changed."""
        return _ENDED.search(self.rest) is not None

    @property
    def head(self) -> bytes:
        return self.hashes[-1] if self.hashes else self.previous


def read(path: Place) -> JournalContent | None:
    """Read the complete groups of a journal; None where its writer was killed before the first line, or it has become a
    part.

    Raises `Damaged`.
    """
    try:
        header, mark, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if not mark:
        return None
    try:
        chain, first, previous = header.decode().split(" ")
        content = JournalContent(chain, int(first), bytes.fromhex(previous), [], [], b"")
    except ValueError as broken:
        raise Damaged(f"{path}: invalid first line: {broken}") from broken
    if name(content.chain, content.first) != path.name.removesuffix(SUFFIX) or len(content.previous) != 32:
        raise Damaged(f"{path}: the first line belongs to another journal")
    group: list[bytes] = []
    taken = start = 0
    while (stop := body.find(b"\n", start)) >= 0:
        line, start = body[start:stop], stop + 1
        if not line.startswith(END):
            group.append(line)
            continue
        hashes = links(content.head, group)
        if not group or line != _end(content.first + len(content.written) + len(group), hashes[-1]):
            break
        content.written.extend(group)
        content.hashes.extend(hashes)
        group, taken = [], start
    return JournalContent(content.chain, content.first, content.previous, content.written, content.hashes, body[taken:])


def follow(path: Place, start: int) -> tuple[list[bytes], int]:
    """Records of the complete groups after an offset, and the new offset, without checking hashes.

    None where the journal has become a part.
    """
    try:
        body = _rest(path, start)
    except FileNotFoundError:
        return [], start
    length = max((found.end() for found in _ENDED.finditer(body)), default=0)
    lines = body[:length].split(b"\n")[0 if start else 1 : -1]
    return [line for line in lines if not line.startswith(END)], start + length


def _rest(path: Place, start: int) -> bytes:
    """The bytes after an offset. A copy may be replaced at any time, so it is read at once."""
    if not isinstance(path, Path):
        return path.read_bytes()[start:]
    with path.open("rb") as file:
        file.seek(start)
        return file.read()


def _end(end: int, head: bytes) -> bytes:
    return END + f"{end} {head.hex()}".encode()


def abandoned(path: Path) -> bool:
    """Whether the writer of a journal has ended without finishing it."""
    try:
        with path.open("r+b") as file:  # over NFS, a lock needs a writable file
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def name(chain: str, first: int) -> str:
    """File name of the journal and part that begin with this record; sorts in the order of the chain."""
    return f"{chain}-{first:012d}"


def sync(folder: Path) -> None:
    """Sync the names in a folder to disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
