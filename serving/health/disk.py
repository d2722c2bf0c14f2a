"""Checks whether a folder is writable by writing to it, which also detects a full disk."""

import os
from pathlib import Path

#: Bytes of the test file: more than the space that a full disk may still have for small files.
SIZE = 64 << 10


def fault(folder: Path) -> str | None:
    """Why a folder is not writable, and what to do; None where it is."""
    path = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                file.write(bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)
    except OSError as wrong:
        return f"{folder} cannot be written: {wrong.strerror}; make room or fix its permissions"
    return None
