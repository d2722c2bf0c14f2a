"""A family's champion, opened in this process and followed."""

import logging
import threading
import time

from features.settings import Settings
from models.bundle import Bundle, open_bundle
from models.keys import public_key
from models.registry import Registry

#: Seconds between looks for a new champion, and where none is open.
LOOK_S, SOON_S = 30.0, 2.0


class FollowedChampion:
    """The champion of the registry, verified before it is opened; a newer champion replaces it within `LOOK_S`.

    Without a registry the one that is open stays.
    """

    def __init__(self, family: str, settings: Settings, log: logging.Logger) -> None:
        self._family, self._settings, self._log = family, settings, log
        self._registry, self._lock, self._due = Registry(settings), threading.Lock(), 0.0
        self._bundle: Bundle | None = None
        self._version, self._fault = "", ""

    @property
    def bundle(self) -> Bundle | None:
        """The champion; None where none is open. Looks for a newer one where that is due."""
        # Nobody waits for another's look while a version is open.
        if time.monotonic() >= self._due and self._lock.acquire(blocking=self._bundle is None):
            try:
                if time.monotonic() >= self._due:
                    self._look()
            finally:
                self._lock.release()
        return self._bundle

    @property
    def version(self) -> str:
        """The version that is open; empty without one."""
        return self._version

    @property
    def fault(self) -> str:
        """Why the newest look failed; empty where it did not."""
        return self._fault

    def _look(self) -> None:
        try:
            champion = self._registry.champion(self._family)
            if champion is not None and champion.version != self._version:
                folder = self._registry.download(self._family, champion.version)
                opened = open_bundle(folder, public_key(self._settings), self._family, champion.version)
                self._bundle, self._version = opened, champion.version
            self._fault = ""
        except Exception as fault:  # registry, disk or bundle: whoever asks is told why
            stays = f"version {self._version} stays" if self._version else "none is open"
            told = f"the champion of {self._family} cannot be opened, {stays}: {fault}"
            if told != self._fault:
                self._log.error("%s", told)
            self._fault = told
        self._due = time.monotonic() + (SOON_S if self._bundle is None else LOOK_S)
