"""JSON without numbers that JSON has not."""

import json

from pipelines.plain_json import plain_json


def test_unbounded_and_unknown_numbers_are_null():
    told = {"low": float("-inf"), "all": (1.5, float("nan"), {"high": float("inf")}), "name": "x"}
    assert json.loads(plain_json(told)) == {"low": None, "all": [1.5, None, {"high": None}], "name": "x"}
