"""Progress of training, in a folder that outlives a lost pod where `ADLOOP_CHECKPOINTS_URI` says so."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from features import lake
from features.settings import Settings

log = logging.getLogger("adloop")

#: Seconds between copies: what a lost node costs at most, besides the round that it was in.
EVERY_S = 30.0


@contextmanager
def checkpoint(settings: Settings, family: str, features: str, params: dict[str, Any]) -> Iterator[Path]:
    """The folder of training progress: the same for retries with the same frame and parameters, else a new one.

    It is under `settings.home` and not among the step's outputs, as each attempt has new outputs. With a
    `checkpoints_uri` an earlier attempt's progress is fetched from there first, and copied there while training goes
    on; it is removed when training succeeds.
    """
    key = hashlib.sha256(json.dumps([features, params], sort_keys=True).encode()).hexdigest()[:16]
    folder = settings.home / "checkpoints" / family / key
    if settings.checkpoints_uri is None:
        yield folder
        return
    copy = CheckpointCopy(folder, f"{settings.checkpoints_uri.rstrip('/')}/{family}/{key}", settings)
    copy.fetch()
    with copy.kept():
        yield folder
    copy.attempt(copy.remove)


class CheckpointCopy:
    """A copy of a folder's files at `uri`: what fails of it is logged, as training itself can go on without."""

    def __init__(self, folder: Path, uri: str, settings: Settings) -> None:
        self._folder, self._uri = folder, uri
        self._system = lake.filesystem(uri, settings)
        self._copied: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Put the copied files into the folder, over what is there."""
        for path in self._system.find(self._uri):
            name = path.removeprefix(f"{self._uri.removeprefix('s3://')}/")
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            self._system.get_file(path, str(target))
            self._copied[name] = _state(target)

    def update(self) -> None:
        """Copy what is new or changed, the oldest file first, after removing what is gone: at any time the copy is one
        that a killed fit would have left."""
        now = {str(path.relative_to(self._folder)): _state(path) for path in self._folder.rglob("*") if path.is_file()}
        for name in self._copied.keys() - now.keys():
            self._system.rm_file(f"{self._uri}/{name}")
            del self._copied[name]
        for name in sorted(now.keys(), key=now.__getitem__):
            if self._copied.get(name) != now[name]:
                self._system.put_file(str(self._folder / name), f"{self._uri}/{name}")
                self._copied[name] = now[name]

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Update the copy every `EVERY_S`."""
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(EVERY_S):
                self.attempt(self.update)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def remove(self) -> None:
        """Remove the copy."""
        if self._system.exists(self._uri):
            self._system.rm(self._uri, recursive=True)

    def attempt(self, work: Callable[[], None]) -> None:
        """Do `work` on the copy. What has failed is done by the next update."""
        try:
            work()
        except Exception:
            log.exception("the progress of training could not be copied to %s", self._uri)


def _state(file: Path) -> tuple[int, int]:
    """When a file was written, and its size."""
    found = file.stat()
    return found.st_mtime_ns, found.st_size
