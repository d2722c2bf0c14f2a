import numpy as np
import pandas as pd
import pytest

from models.inputs import InvalidRows
from models.tabular import Encoder, feature_columns, require

ROWS = pd.DataFrame(
    {
        "plan": ["gold", "basic", None, "gold", "basic", "rare"],
        "member": [True, False, True, True, False, True],
        "spend": [1.5, np.nan, 3.0, 4.0, 5.0, 6.0],
        "orders": [1, 2, 3, 4, 5, 6],
        "nothing": [None] * 6,
    }
)
ENCODER = Encoder.fit(ROWS)


def test_numbers_booleans_and_frequent_categories_become_columns():
    assert ENCODER.names == ("orders", "spend", "member", "plan=basic", "plan=gold")
    assert ENCODER.origins == ("orders", "spend", "member", "plan", "plan")
    matrix = ENCODER.encode(ROWS)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[:3], [[1, 1.5, 1, 0, 1], [2, np.nan, 0, 1, 0], [3, 3, 1, 0, 0]])
    assert matrix[5, 3:].sum() == 0  # a value too rare to learn from is like one never seen


def test_the_order_of_columns_and_rows_does_not_matter():
    assert Encoder.fit(ROWS[ROWS.columns[::-1]].iloc[::-1]) == ENCODER
    np.testing.assert_array_equal(ENCODER.encode(ROWS[ROWS.columns[::-1]]), ENCODER.encode(ROWS))


def test_it_comes_back_from_json():
    import json

    assert Encoder.from_dict(json.loads(json.dumps(ENCODER.to_dict()))) == ENCODER


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_text_is_read_whatever_pandas_calls_it(dtype):
    np.testing.assert_array_equal(ENCODER.encode(ROWS.astype({"plan": dtype})), ENCODER.encode(ROWS))


def test_values_without_dtypes_are_read_by_what_they_are():
    np.testing.assert_array_equal(ENCODER.encode(ROWS.astype(object)), ENCODER.encode(ROWS))
    nullable = ROWS.astype({"orders": "Int64", "member": "boolean", "spend": "Float64"})
    np.testing.assert_array_equal(ENCODER.encode(nullable), ENCODER.encode(ROWS))


def test_booleans_with_gaps_are_read_as_pandas_leaves_them():
    matrix = ENCODER.encode(ROWS.assign(member=[1.0, 0.0, np.nan, 1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(matrix[:3, 2], [1, 0, np.nan])


def test_a_missing_value_is_no_missing_column():
    everything_missing = ROWS.head(1).astype(object)
    everything_missing.iloc[0] = None
    assert np.isnan(ENCODER.encode(everything_missing)[0, :3]).all()
    with pytest.raises(InvalidRows, match="feature 'spend': expected a column of this name"):
        ENCODER.encode(ROWS.drop(columns="spend"))


def test_a_column_that_was_empty_is_not_asked_for():
    ENCODER.encode(ROWS.drop(columns="nothing"))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("spend", np.inf, "a finite number, got inf"),
        ("spend", 1e39, "a finite number, got 1e"),
        ("spend", "much", "a number, got 'much'"),
        ("orders", True, "a number, got True"),
        ("member", "yes", "true or false, got 'yes'"),
        ("member", 2, "true or false, got 2"),
        ("plan", 3, "a category (text), got 3"),
        ("plan", ["gold"], "a category (text), got ['gold']"),
    ],
)
def test_a_wrong_value_is_named_with_its_field(field, value, expected):
    rows = ROWS.astype(object)
    rows.at[2, field] = value
    with pytest.raises(InvalidRows) as error:
        ENCODER.encode(rows)
    assert error.value.field == field
    assert f"feature '{field}': expected {expected}" in str(error.value)


def test_identifiers_are_no_features():
    emails = pd.DataFrame({"email": [f"{number}@x" for number in range(1000)], "age": range(1000)})
    assert Encoder.fit(emails).names == ("age",)


def test_what_is_neither_number_nor_boolean_nor_text_is_refused():
    with pytest.raises(InvalidRows, match="feature 'since': expected numbers, booleans or categories"):
        Encoder.fit(pd.DataFrame({"since": pd.to_datetime(["2024-01-01"])}))
    with pytest.raises(InvalidRows, match="'mixed'"):
        Encoder.fit(pd.DataFrame({"mixed": ["a", 1]}))


def test_features_are_what_is_neither_key_nor_label():
    frame = pd.DataFrame(columns=["customer_id", "event_timestamp", "split", "churned", "b", "a"])
    assert feature_columns(frame, "customer_id", ["churned"]) == ["a", "b"]


def test_require_names_the_first_column_that_lacks():
    require(ROWS, ["plan", "spend"])
    with pytest.raises(InvalidRows, match="feature 'age'"):
        require(ROWS, ["plan", "age"])
