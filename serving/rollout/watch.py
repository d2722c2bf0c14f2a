"""Supervises the processes of `adloop serve`: Envoy, a server per champion, and those beside them.

Failed processes are restarted with exponential backoff while the others keep serving. `faults` lists what is down, and
why.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from features.settings import Settings
from models.bundle import BundleTampered
from models.registry import Registry
from serving.health.backoff import Backoff
from serving.released import state
from serving.released.split import Split
from serving.rollout.endpoints import ServedEndpoint
from serving.rollout.envoy import EnvoyFailed
from serving.rollout.fleet import Fleet
from serving.rollout.plan import CannotFetch, CannotServe

log = logging.getLogger("adloop.serve")

ENVOY = "envoy"
#: Consecutive failures of Envoy after which `adloop serve` ends, as nothing is reachable.
GIVE_UP = 6


class Watch:
    """The supervisor; call `look` repeatedly.

    Args:
        families: families to serve.

    Attributes:
        faults: reason by part that is down.
        left_out: hint by family whose bundle is damaged; the others are served without it.
    """

    def __init__(
        self,
        fleet: Fleet,
        beside: Sequence[ServedEndpoint],
        families: Iterable[str],
        registry: Registry,
        settings: Settings,
    ) -> None:
        self._fleet, self._beside, self._registry, self._settings = fleet, beside, registry, settings
        #: Families that are starting, with their split once known.
        self._coming: dict[str, Split | None] = dict.fromkeys(families)
        self._backoffs: defaultdict[str, Backoff] = defaultdict(Backoff)
        self.faults: dict[str, str] = {}
        self.left_out: dict[str, str] = {}

    def look(self) -> None:
        """Restart dead processes and continue starting others. Raises `EnvoyFailed` where Envoy keeps failing."""
        for one in self._beside:  # first, because the first fork of a model server waits for its imports
            self._noticed(one.name, one.dead())
            self._try(one.name, one.raised)
        try:
            self._envoy()
            for family in list(self._coming):
                self._try(family, lambda family=family: self._begun(family))  # type: ignore[misc]
            self._champions()
        except EnvoyFailed:
            if self._fleet.envoy.process.alive or self._backoffs[ENVOY].failures > GIVE_UP:
                raise

    @property
    def settled(self) -> bool:
        """Whether every part either responds or has failed."""
        return all(family in self.faults for family in self._coming) and all(
            one.name in self.faults or one.ready for one in self._beside
        )

    def taken(self, family: str) -> None:
        """Note that a release started this family itself."""
        self._coming.pop(family, None)
        self._well(family)

    def status(self) -> dict[str, Any]:
        """Parts that are up, faults with causes, and restart counts."""
        coming = {family: "it is starting" for family in self._coming if family not in self.faults}
        faults = {name: why for name, why in (self.faults | coming).items() if name not in self.left_out}
        return {
            "serving": {family: split.champion for family, split in self._fleet.splits.items()},
            "faults": faults,
            "left_out": dict(self.left_out),
            "failures": {name: one.total for name, one in list(self._backoffs.items()) if one.total},
        }

    def _envoy(self) -> None:
        if self._fleet.envoy.process.alive:
            return
        backoff = self._backoffs[ENVOY]
        self._noticed(ENVOY, self._fleet.envoy.process.last_words())
        if not backoff.due:
            raise EnvoyFailed("Envoy is restarting")
        backoff.tried()
        try:
            self._fleet.reopen()
        except EnvoyFailed as failed:
            self._failed(ENVOY, str(failed))
            raise
        self._well(ENVOY)

    def _begun(self, family: str) -> bool:
        """Restore a family's last state: within a release, or its champion only."""
        split = self._coming[family] or self._left(family)
        if split is None:  # nothing was released yet
            del self._coming[family]
            return True
        self._coming[family] = None  # the champion may change before a retry
        try:
            up = self._fleet.raised(family, split.versions)
        except CannotServe as cannot:
            if cannot.version != split.canary:
                raise
            log.warning("%s: %s", family, cannot)
            split, up = Split(champion=split.champion), False
        self._coming[family] = split
        if not up:
            return False
        self._fleet.put_in_force(family, split)
        del self._coming[family]
        return True

    def _left(self, family: str) -> Split | None:
        try:
            champion = self._registry.champion(family)
        except Exception as fault:  # any registry error: keep serving the others
            raise CannotFetch(f"the registry does not say who is champion: {fault}") from fault
        return None if champion is None else state.standing(self._settings.home, family, champion.version)

    def _champions(self) -> None:
        for family, words in self._fleet.dead().items():
            self._noticed(family, words)
            self._try(family, lambda family=family: self._fleet.revive(family))  # type: ignore[misc]

    def _try(self, name: str, step: Callable[[], bool]) -> None:
        """Continue starting a part, unless its backoff is not over."""
        backoff = self._backoffs[name]
        if not backoff.due:
            return
        backoff.tried()
        try:
            if step():
                self._well(name)
        except CannotServe as cannot:
            if isinstance(cannot.__cause__, BundleTampered):
                self.left_out[name] = cannot.reason
            self._failed(name, cannot.reason)
        except CannotFetch as cannot:
            self._failed(name, str(cannot))

    def _noticed(self, name: str, words: str | None) -> None:
        """Record a dead process with its last log line, once."""
        if words is not None and name not in self.faults:
            self._failed(name, f"its process died: {words}")

    def _failed(self, name: str, why: str) -> None:
        backoff = self._backoffs[name]
        backoff.failed()
        self.faults[name] = why
        said = (name, why, backoff.wait_s, backoff.failures)
        log.error("%s does not respond: %s; retrying in %.1f s (failure %d)", *said)

    def _well(self, name: str) -> None:
        self.left_out.pop(name, None)
        if self.faults.pop(name, None) is not None:
            log.warning("%s responds again", name)
