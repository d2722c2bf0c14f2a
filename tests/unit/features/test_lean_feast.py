"""Feast, as features import it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_feast_comes_without_what_is_unused_here_and_leaves_that_to_others() -> None:
    program = """
import os, sys
before = dict(os.environ)
from features.lean_feast import feast
print(*(name for name in ("fastapi", "sqlalchemy", "torch", "typeguard") if name in sys.modules))
print(os.environ == before, feast.FeatureStore.__name__)
from fastapi import FastAPI, concurrency
from feast.infra.registry.sql import SqlRegistry
from typeguard import typechecked
print(FastAPI.__name__, concurrency.run_in_threadpool.__name__, SqlRegistry.__name__, typechecked.__module__)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "",
        "True FeatureStore",
        "FastAPI run_in_threadpool SqlRegistry typeguard",
    ]
