"""Imports Great Expectations without what it draws, computes and fetches elsewhere with: `from
features.lean_expectations import gx, gxe`. None of that is used here, and it takes a third of the import's time.
"""

from features.lazy_imports import lazily, without

_CLOUDS = ("boto3", "botocore", "google.api_core", "google.auth", "google.cloud", "google.oauth2")

with lazily("altair", "scipy.stats"), without(*_CLOUDS):
    import great_expectations as gx
    import great_expectations.expectations as gxe

__all__ = ["gx", "gxe"]
