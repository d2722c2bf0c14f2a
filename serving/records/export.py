"""Copies of finished parts under an address of S3: for machines that come and go, and to be kept beyond the home."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from features import lake
from features.records import DECISIONS, EVENTS, LOG, OUTCOMES, REQUESTS, SUFFIX
from features.settings import Settings

log = logging.getLogger("adloop.records")

#: Seconds between looks for parts that are not there yet.
EVERY_S = 30.0
#: Folders of a home with a record in them; and the parameters that decisions are replayed by.
_FOLDERS = (f"{DECISIONS}/{LOG}", f"{DECISIONS}/{EVENTS}", f"{REQUESTS}/*", f"{OUTCOMES}/*")
_PARAMS = f"{DECISIONS}/{LOG}/params/*.json"


class Export:
    """A thread that copies what is finished to `settings.records_uri`; one process of a home does, at a time.

    What retention removes from the home stays there. A merged part is copied beside those it is made of: readers know
    it by its place in the chain.
    """

    def __init__(self, settings: Settings, uri: str) -> None:
        self._settings, self._uri = settings, uri.rstrip("/")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Copy what is left, and end; S3 that does not answer is not waited for long."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(EVERY_S)
            try:
                with FileLock(self._settings.home / ".export.lock").acquire(timeout=0):
                    copy(self._settings, self._uri)
            except Timeout:
                continue
            except Exception:  # whatever S3 says, the home has it all, and the next time it may go well
                log.exception("parts could not be copied to %s: it is tried again", self._uri)


def copy(settings: Settings, uri: str) -> int:
    """Copy the parts that are not there yet, or are larger by now; how many that were. Raises what S3 raises."""
    there, count = lake.filesystem(uri, settings), 0
    try:
        found = {path: about["size"] for path, about in there.find(uri, detail=True).items()}
    except FileNotFoundError:
        found = {}
    for file in _files(settings.home):
        target = f"{uri}/{file.relative_to(settings.home)}"
        if found.get(target.removeprefix("s3://")) != file.stat().st_size:
            there.put_file(str(file), target)
            count += 1
    return count


def _files(home: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from sorted(home.glob(f"{folder}/*{SUFFIX}"))
    yield from sorted(home.glob(_PARAMS))
