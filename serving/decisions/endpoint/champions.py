"""Which bundles are to be in force, and the lineup of those that are: another takes over between two groups."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from features.settings import Settings
from models import catalog
from models.bundle import Bundle, open_bundle
from models.keys import public_key
from models.registry import Registry
from serving.decisions.endpoint.lineup import Canary, Lineup
from serving.decisions.endpoint.metrics import FAULTS, MODELS
from serving.decisions.endpoint.predictor import BundlePredictor, Predictor
from serving.rollout import state
from serving.rollout.plan import Split

log = logging.getLogger("adloop.decisions")

#: Seconds between looks at what is to be in force.
LOOK_S = 1.0

#: Who is to answer for each family, and what fetches the bundle of a version of it.
Current = Callable[[], Mapping[str, tuple[Split, Callable[[str], Path]]]]


def in_folder(place: Path) -> Current:
    """Bundles in `place/<family>`, as a container mounts them; their version is the beginning of their digest."""

    def current() -> dict[str, tuple[Split, Callable[[str], Path]]]:
        found: dict[str, tuple[Split, Callable[[str], Path]]] = {}
        for sealed in sorted(place.glob("*/files.json")):
            with suppress(FileNotFoundError):  # it is being replaced: the next look finds the new one
                version = hashlib.sha256(sealed.read_bytes()).hexdigest()[:12]
                found[sealed.parent.name] = Split(champion=version), partial(_mounted, sealed.parent)
        return found

    return current


def released(settings: Settings) -> Current:
    """The champions of the registry and the canaries that a release has on its way, fetched when they become it."""
    registry = Registry(settings)

    def current() -> dict[str, tuple[Split, Callable[[str], Path]]]:
        found: dict[str, tuple[Split, Callable[[str], Path]]] = {}
        for family in catalog.NAMES:
            champion = registry.champion(family)
            if champion is not None:
                split = state.standing(settings.home, family, champion.version)
                found[family] = split, partial(registry.download, family)
        return found

    return current


class Champions:
    """The lineup in force. A group of decisions takes it once; who looks for changes is a thread of its own.

    A bundle that cannot be verified, opened or asked is not taken: what was in force stays.
    """

    def __init__(self, current: Current, settings: Settings) -> None:
        self._current, self._key = current, public_key(settings)
        self._refused: set[tuple[str, str]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="champions", daemon=True)
        self.lineup = Lineup({}, {})

    def start(self) -> None:
        """Take what is there now, and follow what comes."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def versions(self) -> Mapping[str, str]:
        """Of each family's champion in force."""
        return {family: one.version for family, one in self.lineup.champions.items()}

    def look(self) -> None:
        """Put in force what is to be and is not yet."""
        current, before = self._current(), self.lineup
        self._refused &= {(family, version) for family, (split, _) in current.items() for version in split.versions}
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
        self.lineup = Lineup(champions, canaries)
        MODELS.clear()
        for (family, version), share in self.lineup.shares.items():
            MODELS.labels(family, version).set(share)

    def _opened(self, family: str, version: str, fetch: Callable[[str], Path]) -> Predictor | None:
        """The predictor of a version: the one that is in force, or a new one; None for a bundle that is not taken."""
        for one in self.lineup.answering(family):
            if one.version == version:
                return one
        if (family, version) in self._refused:
            return None
        try:
            return _predictor(open_bundle(fetch(version), self._key, family), version)
        except Exception as broken:  # whatever is wrong with it, those in force go on
            FAULTS["bundle"].inc()
            self._refused.add((family, version))
            log.error("%s %s is not taken: %s: %s", family, version, type(broken).__name__, broken)
            return None

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except Exception:
                log.exception("what is to be in force is not known: what is stays")


def _mounted(folder: Path, version: str) -> Path:
    """The one bundle of a family that there is."""
    return folder


def _predictor(bundle: Bundle, version: str) -> Predictor:
    """How a bundle is asked. Where nothing bids, the libraries of bidding are not loaded."""
    if bundle.manifest.family != catalog.POLICY:
        return BundlePredictor(bundle, version)
    from serving.decisions.endpoint.bidder import Bidder

    return Bidder(bundle, version)
