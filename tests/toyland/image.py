"""`python -m tests.toyland.image serving.inference …`: a server that can import only what its image holds."""

import re
import runpy
import sys
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).parents[2] / "infra" / "images"
#: A package, with all its files that follow each other, or a module in the list of a distribution's files.
_MODULE = re.compile(r"^(\w+)(?:/.*(?:\n\1/.*)*|\.[\w.-]*(?:py|so),)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    """The version of each package in a lock, by its normalized name."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", lock.read_text(), re.MULTILINE))


def normal(name: str) -> str:
    """A package's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def enter() -> None:
    """Hide every package that is not in the server's lock from this process."""
    held = pins(LOCKS / "serve.lock").keys() | {"adloop"}
    here, missing = set[str](), set[str]()
    for name, modules in _installed():
        (here if name in held else missing).update(modules)
    missing -= here

    class InImage(PathFinder):
        @classmethod
        def find_spec(cls, fullname: str, *rest: Any) -> Any:
            return None if fullname in missing else super().find_spec(fullname, *rest)

    sys.meta_path[sys.meta_path.index(PathFinder)] = InImage


def _installed() -> list[tuple[str, list[str]]]:
    """What is installed, and the modules of each. `packages_distributions` takes twice as long, in each server."""
    return [(normal(_name(one)), _MODULE.findall(one.read_text("RECORD") or "")) for one in distributions()]


def _name(one: Distribution) -> str:
    """A distribution's name as its folder `<name>-<version>.dist-info` says it; its metadata are long to read."""
    return one._path.name.split("-")[0]  # type: ignore[attr-defined]


if __name__ == "__main__":
    enter()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
