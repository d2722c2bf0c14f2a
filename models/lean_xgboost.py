"""Imports XGBoost without scikit-learn: `from models.lean_xgboost import xgboost`. Why, says `models.lean_lightgbm`."""

from features.lazy_imports import without

with without("sklearn"):
    import xgboost

__all__ = ["xgboost"]
