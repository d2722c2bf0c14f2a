"""Whether a folder can be written to: found out by writing, as a full disk says so in no other way."""

import os
from pathlib import Path

#: Bytes that are written: more than what a disk still finds room for when files of any size are refused.
SIZE = 64 << 10


def fault(folder: Path) -> str | None:
    """Why nothing can be kept in a folder now, and what to do; None where it can."""
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
        return f"{folder} cannot be written: {wrong.strerror}; make room or mend its permissions"
    return None
