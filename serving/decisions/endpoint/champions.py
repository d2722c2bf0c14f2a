"""Which bundles are to be in force, and the panels of those that are: another takes over between two groups."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from features.settings import Settings
from models import catalog
from models.bundle import Bundle, open_bundle
from models.keys import public_key
from models.registry import Registry
from serving.decisions.endpoint.metrics import FAULTS, MODELS
from serving.decisions.endpoint.panel import Panel
from serving.decisions.endpoint.predictor import BundlePredictor, Predictor
from serving.decisions.records import Asked

log = logging.getLogger("adloop.decisions")

#: The family that bids.
POLICY = "bidding"
#: Seconds between looks at what is to be in force.
LOOK_S = 1.0
_ASKED: tuple[Asked, ...] = ("bid", "campaign", "customer")

#: Version and folder of the bundle of each family.
Current = Callable[[], Mapping[str, tuple[str, Path]]]


def in_folder(place: Path) -> Current:
    """Bundles in `place/<family>`, as a container mounts them; their version is the beginning of their digest."""

    def current() -> dict[str, tuple[str, Path]]:
        found = {}
        for sealed in sorted(place.glob("*/files.json")):
            with suppress(FileNotFoundError):  # it is being replaced: the next look finds the new one
                found[sealed.parent.name] = (hashlib.sha256(sealed.read_bytes()).hexdigest()[:12], sealed.parent)
        return found

    return current


def released(settings: Settings) -> Current:
    """The champions of the registry, fetched when they become it."""
    registry = Registry(settings)
    fetched: dict[tuple[str, str], Path] = {}

    def current() -> dict[str, tuple[str, Path]]:
        found = {}
        for family in catalog.NAMES:
            champion = registry.champion(family)
            if champion is None:
                continue
            key = (family, champion.version)
            if key not in fetched:
                fetched[key] = registry.download(*key)
            found[family] = (champion.version, fetched[key])
        return found

    return current


class Champions:
    """The panels in force. A group of decisions takes them once; who looks for new ones is a thread of its own.

    A bundle that cannot be verified, opened or asked is not taken: what was in force stays.
    """

    def __init__(self, current: Current, settings: Settings) -> None:
        self._current, self._key = current, public_key(settings)
        self._versions: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._opened: dict[str, Predictor] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="champions", daemon=True)
        self.panels = _panels([])

    def start(self) -> None:
        """Take what is there now, and follow what comes."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def versions(self) -> Mapping[str, str]:
        """Of each family in force."""
        return dict(self._versions)

    def look(self) -> None:
        """Put in force what is to be and is not yet."""
        current = self._current()
        wanted = {family: version for family, (version, _) in current.items()}
        opened = {family: one for family, one in self._opened.items() if family in wanted}
        for family, (version, folder) in current.items():
            if version != self._versions.get(family) and version != self._refused.get(family):
                self._open(family, version, folder, opened)
        versions = {family: one.version for family, one in opened.items()}
        if versions != self._versions:
            self.panels = _panels(list(opened.values()))
            self._opened, self._versions = opened, versions
            MODELS.clear()
            for family, version in versions.items():
                MODELS.labels(family, version).set(1)

    def _open(self, family: str, version: str, folder: Path, opened: dict[str, Predictor]) -> None:
        try:
            opened[family] = _predictor(open_bundle(folder, self._key), version)
        except Exception as broken:  # whatever is wrong with it, those in force go on
            FAULTS["bundle"].inc()
            self._refused[family] = version
            log.error("%s %s is not taken: %s: %s", family, version, type(broken).__name__, broken)

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except Exception:
                log.exception("what is to be in force is not known: what is stays")


def _predictor(bundle: Bundle, version: str) -> Predictor:
    """How a bundle is asked. Where nothing bids, the libraries of bidding are not loaded."""
    if bundle.manifest.family != POLICY:
        return BundlePredictor(bundle, version)
    from serving.decisions.endpoint.bidder import Bidder

    return Bidder(bundle, version)


def _panels(predictors: Sequence[Predictor]) -> Mapping[Asked, Panel]:
    """For each kind of opportunity the models that are asked about it."""
    return {asked: Panel(asked, predictors) for asked in _ASKED}
