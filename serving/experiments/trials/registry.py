"""The experiments of a home: one JSON file each, written aside and renamed, so that a kill leaves no half of one.

A lock makes one change at a time. Experiments are never deleted: corrections of later ones learn from them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

from features.settings import Settings
from serving.decisions.rebuild import from_json, to_json
from serving.experiments.trials.experiment import Experiment, LayerSegment
from serving.experiments.trials.findings import Findings

SUFFIX = ".json"
#: Characters of a file name, beyond which it is a hash of the experiment's.
LONGEST = 200
#: Least share of a layer that is worth giving to an experiment.
SLIVER = 1e-3


class ExperimentRegistry:
    """The experiments planned, running and stopped, and what was found of each."""

    def __init__(self, settings: Settings) -> None:
        self._plans = settings.home / "experiments" / "plans"
        self._found = settings.home / "experiments" / "findings"

    def experiments(self) -> list[Experiment]:
        """All, by name. Raises `ValueError` naming the file and field of a damaged one."""
        return [self._read(path) for path in sorted(self._plans.glob(f"[!.]*{SUFFIX}"))]

    def experiment(self, name: str) -> Experiment:
        """One experiment. Raises `LookupError` naming those there are."""
        path = self._plans / _file(name)
        if not path.exists():
            there = ", ".join(one.name for one in self.experiments()) or "none"
            raise LookupError(f"no experiment '{name}': adloop experiment plan '{name}' ...; there are: {there}")
        return self._read(path)

    def plan(self, experiment: Experiment, share: float = 1.0) -> Experiment:
        """Keep a new experiment, with a free segment of its layer of this size. Returns it with the segment.

        Raises `ValueError` where the name is taken, or the layer has no such segment left.
        """
        with self._alone():
            for other in self.experiments():
                if other.name.casefold() == experiment.name.casefold():
                    raise ValueError(
                        f"experiment '{other.name}' is already {other.state}: choose another name; experiments stay, "
                        "because later ones are corrected by them"
                    )
            placed = experiment.model_copy(update={"segment": self._free(experiment.layer, share)})
            self._write(placed)
        return placed

    def start(self, name: str, day: date) -> Experiment:
        """Start a planned experiment. Raises `ValueError` where it is not planned any more."""
        return self._move(name, "planned", {"state": "running", "started_on": day}, "started")

    def stop(self, name: str, day: date, outcome: str) -> Experiment:
        """Stop a running experiment with its outcome. Raises `ValueError` where it does not run, or starts later."""
        return self._move(name, "running", {"state": "stopped", "stopped_on": day, "outcome": outcome}, "stopped")

    def overlapping(self, experiment: Experiment) -> list[Experiment]:
        """Running experiments that show the same units something too, because they are in another layer."""
        return [
            other
            for other in self.experiments()
            if other.state == "running" and other.name != experiment.name and other.layer != experiment.layer
        ]

    def keep(self, findings: Findings) -> None:
        """Keep the newest findings of an experiment, planned here or found in the data."""
        _replace(self._found / _file(findings.name), to_json(findings))

    def findings(self) -> list[Findings]:
        """The newest findings of all experiments, by name."""
        return [from_json(Findings, path.read_bytes()) for path in sorted(self._found.glob(f"[!.]*{SUFFIX}"))]

    def _move(self, name: str, state: str, changed: dict[str, object], done: str) -> Experiment:
        with self._alone():
            experiment = self.experiment(name)
            if experiment.state != state:
                raise ValueError(f"experiment '{name}' is {experiment.state}: only a {state} one can be {done}")
            moved = experiment.changed(**changed)
            self._write(moved)
        return moved

    def _free(self, layer: str, share: float) -> LayerSegment:
        """The first free segment of a layer; stopped experiments have left theirs."""
        taken = sorted(
            (one.segment.start, one.segment.end, one.name)
            for one in self.experiments()
            if one.layer == layer and one.state != "stopped"
        )
        start = 0.0
        for begin, end, _ in [*taken, (1.0, 1.0, "")]:
            if begin - start >= share - SLIVER:
                return LayerSegment(start=start, end=min(start + share, begin))
            start = max(start, end)
        names = ", ".join(f"{name} ({end - begin:.0%})" for begin, end, name in taken)
        raise ValueError(
            f"traffic: layer '{layer}' has no {share:.0%} left beside {names}: ask for less, or wait for them"
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._plans.mkdir(parents=True, exist_ok=True)
        with FileLock(self._plans / ".lock"):
            yield

    def _read(self, path: Path) -> Experiment:
        try:
            return Experiment.model_validate_json(path.read_bytes())
        except ValueError as damaged:
            raise ValueError(f"{path}: {damaged}") from damaged

    def _write(self, experiment: Experiment) -> None:
        _replace(self._plans / _file(experiment.name), experiment.model_dump_json(indent=2).encode())


def _file(name: str) -> str:
    """The file of an experiment, whose name may be any text that data hold."""
    text = quote(name, safe="").replace(".", "%2E")
    return f"{text if len(text) <= LONGEST else blake2b(name.encode(), digest_size=16).hexdigest()}{SUFFIX}"


def _replace(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)
