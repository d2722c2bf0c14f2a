"""Imports LightGBM without scikit-learn: `from models.lean_lightgbm import lightgbm`.

LightGBM imports it for its own classes in scikit-learn's style, which nothing here uses, and it takes ten times as long
as LightGBM itself. Those classes refuse to be made then, unless scikit-learn or LightGBM was imported before.
"""

from features.lazy_imports import without

with without("sklearn"):
    import lightgbm

__all__ = ["lightgbm"]
