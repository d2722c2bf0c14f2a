"""Files that people write: errors name file, line and field, and keep nothing of what raised them."""

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from features.yaml_file import InvalidFile, fields, parsed


class Budgeted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    daily: float

    @field_validator("daily")
    @classmethod
    def _even(cls, daily: float) -> float:
        if daily % 2:
            raise ValueError(f"expected an even amount, got {daily:g}")
        return daily


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\ndaly: 2", "f.yaml, line 2: daly: unknown field; did you mean daily"),
        ("daily: 3", "f.yaml, line 1: daily: expected an even amount, got 3"),
        ("daily: 2\ndaily: 4", "f.yaml, line 2: daily: is in line 1 already"),
        ("- 1", "expected fields and their values, got list"),
        ("a: [", "expected YAML"),
    ],
)
def test_an_error_names_file_line_and_field(text: str, told: str) -> None:
    with pytest.raises(InvalidFile, match=told):
        parsed(Budgeted, *fields(text.encode(), "f.yaml"), "f.yaml")


def test_an_error_keeps_no_frames_of_the_validation() -> None:
    """Frames that pydantic's errors hold outlive the interpreter, and DuckDB then tells of leaks on standard error."""
    with pytest.raises(InvalidFile) as raised:
        parsed(Budgeted, *fields(b"daily: 3", "f.yaml"), "f.yaml")
    assert raised.value.__context__ is None
