"""What answers: model endpoints, canary rollout and monitoring."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from features.lazy_imports import always_inside, always_lazily, packages_always_lazily

# KServe imports the whole client of a cluster, a third of its own import, and only a rollout on one asks it anything.
_CLIENT = ("client", "config", "dynamic", "leaderelection", "stream", "utils", "watch")
always_lazily(*(f"kubernetes.{part}" for part in _CLIENT))
# Its own package imports that client's and a record of every object of a cluster, which takes a tenth of the rest.
packages_always_lazily("kserve")


@contextmanager
def _lean_fastapi() -> Iterator[None]:
    """Inside, Pydantic compiles models once they are used: few of those that describe an OpenAPI document are.

    FastAPI asks each type of a route whether it is a model of `pydantic.v1`, which takes a third as long to import as
    FastAPI. Where nobody else imports it there are none, and FastAPI finds an empty one.
    """
    import pydantic

    if "pydantic.v1" not in sys.modules:
        pydantic.v1 = SimpleNamespace(BaseModel=type("BaseModel", (), {}))  # type: ignore[attr-defined]
    pydantic.BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del pydantic.BaseModel.model_config["defer_build"]


always_inside(_lean_fastapi, "fastapi")
