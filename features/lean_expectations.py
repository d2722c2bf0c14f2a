"""Imports Great Expectations without what it draws, computes and fetches elsewhere with, and makes its classes faster:
`from features.lean_expectations import gx, gxe`. None of the former is used here. Together they take more than half of
the import's time.
"""

import copy
from typing import Any

from pydantic.v1 import main
from pydantic.v1.fields import ModelField

from features.lazy_imports import lazily, without


def copy_fields(fields: dict[str, ModelField]) -> dict[str, ModelField]:
    """A class's fields for a class that inherits them: copies of what that may change, which pydantic copies with all
    that is in them."""
    return {name: _copied(field) for name, field in fields.items()}


def _copied(field: ModelField) -> ModelField:
    if field.sub_fields_mapping is not None:  # names those that would be copied here
        return copy.deepcopy(field)
    own = copy.copy(field)
    own.field_info, own.class_validators = copy.copy(field.field_info), dict(field.class_validators)
    own.key_field = None if field.key_field is None else _copied(field.key_field)
    own.sub_fields = None if field.sub_fields is None else [_copied(one) for one in field.sub_fields]
    return own


_deep: Any = main.smart_deepcopy
main.smart_deepcopy = copy_fields  # type: ignore[assignment]
try:
    with (
        lazily("altair", "scipy.stats"),
        without("boto3", "botocore", "google.api_core", "google.auth", "google.cloud", "google.oauth2"),
    ):
        import great_expectations as gx
        import great_expectations.expectations as gxe
finally:
    main.smart_deepcopy = _deep

__all__ = ["gx", "gxe"]
