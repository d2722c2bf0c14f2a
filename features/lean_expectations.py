"""Imports Great Expectations without what it draws, computes and fetches elsewhere with, and makes its classes faster:
`from features.lean_expectations import gx, gxe`. None of the former is used here. Together they take more than half of
the import's time.
"""

import copy
import json
from collections.abc import Iterable
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
        from great_expectations.core import id_dict
        from great_expectations.expectations.expectation import Expectation
finally:
    main.smart_deepcopy = _deep


def _given(rule: Any, keys: Iterable[str]) -> dict[str, Any]:
    """What a rule was given of these, or their defaults."""
    given = rule.configuration.kwargs
    return {key: given.get(key, rule._get_default_value(key)) for key in keys}


def _as_json(data: Any) -> Any:
    """Values that JSON can hold, of which an identifier is made: as they are, where it can."""
    try:
        json.dumps(data)
    except TypeError:
        return _converted(data)
    return data


# Two fifths of what a check of tables took: a rule's configuration was made anew for each key, and each value of each
# identifier looked at by NumPy.
_rules: Any = Expectation
_rules._get_domain_kwargs = lambda rule: _given(rule, rule.domain_keys)
_rules._get_success_kwargs = lambda rule: _given(rule, (*rule.success_keys, *rule.domain_keys))
_converted: Any = id_dict.convert_to_json_serializable
id_dict.convert_to_json_serializable = _as_json

__all__ = ["gx", "gxe"]
