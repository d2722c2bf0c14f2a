"""Imports Feast without typeguard's argument checks, torch, its own servers and SQL registry, and FastAPI, of which it
takes names of status codes: `from features.lean_feast import feast`.

None of these is used here, and together they take three times as long to import as the rest of Feast, and most of its
memory. The variables that Feast sets when it is imported are removed: by them Prometheus metrics of this process and
its children would be kept in files, which takes several times as long for each.
"""

import asyncio
import os

import prometheus_client  # noqa: F401 - it reads those variables when it is imported
from starlette import status

from features.lazy_imports import lazily, standing_in, without

_variables = set(os.environ)
try:
    with (
        without("torch"),
        lazily("feast.feature_server", "feast.ui_server"),
        standing_in("typeguard", typechecked=lambda target: target),
        standing_in("feast.infra.registry.sql", SqlRegistry=None),
        standing_in("fastapi", status=status),
        standing_in("fastapi.concurrency", run_in_threadpool=asyncio.to_thread),
    ):
        import feast
finally:
    for name in set(os.environ) - _variables:
        del os.environ[name]

__all__ = ["feast"]
