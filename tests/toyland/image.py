"""`python -m tests.toyland.image serving.inference …`: a server that can import only what its image holds."""

import re
import runpy
import sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).parents[2] / "infra" / "images"


def pins(lock: Path) -> dict[str, str]:
    """The version of each package in a lock, by its normalized name."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", lock.read_text(), re.MULTILINE))


def normal(name: str) -> str:
    """A package's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def enter() -> None:
    """Hide every package that is not in the server's lock from this process."""
    held = pins(LOCKS / "serve.lock").keys() | {"adloop"}
    names = packages_distributions().items()
    missing = {name for name, owners in names if not held & {normal(one) for one in owners}}

    class InImage(PathFinder):
        @classmethod
        def find_spec(cls, fullname: str, *rest: Any) -> Any:
            return None if fullname in missing else super().find_spec(fullname, *rest)

    sys.meta_path[sys.meta_path.index(PathFinder)] = InImage


if __name__ == "__main__":
    enter()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
