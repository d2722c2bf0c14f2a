"""Loads the serving bundles and replaces the active models when releases change them."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from features.records import shared
from features.settings import Settings
from models.bundle import BundleTampered, open_bundle
from models.keys import public_key
from models.registry import Registry
from serving.decisions.kinds import families, kinds
from serving.decisions.metrics import FAULTS, MODELS
from serving.decisions.predict.active_models import ActiveModels, Canary
from serving.decisions.predict.predictor import BundlePredictor, Predictor
from serving.health.backoff import Backoff
from serving.released import state
from serving.released.split import Split

log = logging.getLogger("adloop.decisions")

#: Seconds between checks for changed versions.
LOOK_S = 1.0
#: Seconds to wait for the first check, and the longest pause before a failed bundle is tried again.
FIRST_S, LONGEST_S = 30.0, 15.0

#: By family: its traffic split, and a function that fetches the bundle of a version.
Current = Callable[[], Mapping[str, tuple[Split, Callable[[str], Path]]]]


def in_folder(place: Path) -> Current:
    """Bundles in `place/<family>`, as mounted in a container; the version is the start of the digest."""

    def current() -> dict[str, tuple[Split, Callable[[str], Path]]]:
        found: dict[str, tuple[Split, Callable[[str], Path]]] = {}
        for sealed in sorted(place.glob("*/files.json")):
            if sealed.parent.name not in families():
                continue
            with suppress(FileNotFoundError):  # being replaced: the next check finds the new one
                version = hashlib.sha256(sealed.read_bytes()).hexdigest()[:12]
                found[sealed.parent.name] = Split(champion=version), partial(_mounted, sealed.parent)
        return found

    return current


def released(settings: Settings) -> Current:
    """Champions of the registry, and canaries of current releases; downloaded on first use."""
    registry, stands = Registry(settings), shared(settings)

    def current() -> dict[str, tuple[Split, Callable[[str], Path]]]:
        found: dict[str, tuple[Split, Callable[[str], Path]]] = {}
        for family in sorted(families()):
            champion = registry.champion(family)
            if champion is not None:
                split = state.standing(stands, family, champion.version)
                found[family] = split, partial(registry.download, family)
        return found

    return current


@dataclass
class _Trouble:
    """A version that cannot be loaded.

    Attributes:
        bad: the bundle is invalid; otherwise it is unavailable, which may be temporary.
    """

    why: str
    bad: bool
    again: Backoff


class Champions:
    """Holds the active models; a thread checks for changes.

    A bundle that cannot be fetched, verified, opened or used is skipped, and the previous version stays. It is tried
    again with growing pauses.
    """

    def __init__(self, current: Current, settings: Settings) -> None:
        self._current, self._key = current, public_key(settings)
        self._troubles: dict[tuple[str, str], _Trouble] = {}
        self._unknown: str | None = "the models have not been loaded yet"
        self._wanted: frozenset[str] = frozenset()
        self._stop, self._looked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="champions", daemon=True)
        self.active = ActiveModels({}, {})

    def start(self) -> None:
        """Load the models and start to follow changes. Waits a limited time for the registry."""
        self._thread.start()
        self._looked.wait(FIRST_S)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def versions(self) -> Mapping[str, str]:
        """Version of each family's serving champion."""
        return {family: one.version for family, one in self.active.champions.items()}

    def fault(self) -> str | None:
        """Why required models are missing; None where none is."""
        there = self.active.champions
        missing = {family: why for (family, _), why in self.troubles(bad=False).items() if family not in there}
        learning = {kind.learnt_from for kind in kinds().values()} & self._wanted - there.keys()
        missing |= {family: why for (family, _), why in self.troubles(bad=True).items() if family in learning}
        if not there or missing:
            reasons = [f"{family}: {why}" for family, why in sorted(missing.items())]
            return "; ".join([*filter(None, [self._unknown]), *reasons]) or "no model is released: adloop run"
        return None

    def left_out(self) -> dict[str, str]:
        """Damaged bundles, and what to do."""
        return {f"{family} {version}": why for (family, version), why in self.troubles(bad=True).items()}

    def troubles(self, bad: bool) -> dict[tuple[str, str], str]:
        """Errors by family and version."""
        return {name: one.why for name, one in list(self._troubles.items()) if one.bad == bad}

    def look(self) -> None:
        """Load new versions and replace the active models if they changed."""
        current, before = self._current(), self.active
        wanted = {(family, version) for family, (split, _) in current.items() for version in split.versions}
        self._troubles = {name: one for name, one in self._troubles.items() if name in wanted}
        self._wanted, self._unknown = frozenset(current), None
        champions: dict[str, Predictor] = {}
        canaries: dict[str, Canary] = {}
        for family, (split, fetch) in current.items():
            opened = {version: self._opened(family, version, fetch) for version in split.versions}
            champion = opened[split.champion] or before.champions.get(family)
            if champion is not None:
                champions[family] = champion
            canary = None if split.canary is None else opened[split.canary]
            if canary is not None:
                canaries[family] = Canary(canary, split.weight)
        if (champions, canaries) == (before.champions, before.canaries):
            return
        self.active = ActiveModels(champions, canaries)
        MODELS.clear()
        for (family, version), share in self.active.shares.items():
            MODELS.labels(family, version).set(share)

    def _opened(self, family: str, version: str, fetch: Callable[[str], Path]) -> Predictor | None:
        """The predictor of a version, loaded if necessary; None where that fails."""
        for one in self.active.answering(family):
            if one.version == version:
                return one
        trouble = self._troubles.get((family, version))
        if trouble is not None and not trouble.again.due:
            return None
        try:
            taken = BundlePredictor(open_bundle(_fetched(fetch, version), self._key, family), version)
        except Exception as broken:  # whatever is wrong with it, the previous version stays
            self._not_taken(family, version, broken)
            return None
        if self._troubles.pop((family, version), None) is not None:
            log.warning("%s %s is loaded after all", family, version)
        return taken

    def _not_taken(self, family: str, version: str, broken: Exception) -> None:
        bad = not isinstance(broken, _Away | OSError | MemoryError)
        cause = broken.__cause__ if isinstance(broken, _Away) else broken
        mend = f"replace it, or run adloop rollback {family}" if bad else "retrying"
        why = f"{type(cause).__name__}: {cause}; {mend}"
        before = self._troubles.get((family, version))
        again = Backoff(longest_s=LONGEST_S) if before is None else before.again
        again.failed()
        if before is None or before.why != why:
            FAULTS["bundle"].inc()
            log.error("%s %s cannot be loaded: %s", family, version, why)
        self._troubles[family, version] = _Trouble(why, bad, again)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as fault:
                if self._unknown is None or not self._looked.is_set():
                    log.exception("the current versions are unknown; the previous ones stay")
                self._unknown = f"the current versions are unknown: {fault}; retrying"
            self._looked.set()
            self._stop.wait(LOOK_S)


class _Away(Exception):
    """A bundle cannot be fetched."""


def _fetched(fetch: Callable[[str], Path], version: str) -> Path:
    """The folder of a bundle. Raises `BundleTampered`, or `_Away` for any other failure."""
    try:
        return fetch(version)
    except BundleTampered:
        raise
    except Exception as away:
        raise _Away from away


def _mounted(folder: Path, version: str) -> Path:
    """The mounted bundle; there is one per family."""
    return folder
