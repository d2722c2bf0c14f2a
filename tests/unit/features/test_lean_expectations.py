"""Great Expectations as it is imported here: its classes, and that pydantic is left as it was."""

from typing import Annotated, Literal

from pydantic.v1 import BaseModel, Field, main, utils, validator

from features.lean_expectations import copy_fields


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Parent(BaseModel):
    name: str = Field("ann", description="who")
    tags: list[str | None] = []
    by_name: dict[str, int] = {}
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()


def test_a_class_that_inherits_fields_changes_none_of_its_parents(monkeypatch) -> None:
    monkeypatch.setattr(main, "smart_deepcopy", copy_fields)

    class Child(Parent):
        class Config:
            alias_generator = str.title

        @validator("name")
        def loud(cls, name: str) -> str:
            return name.upper()

    assert Child(Name="bob", Tags=["a", None], By_Name={"x": "1"}, Pet={"kind": "dog"}) == {
        "name": "BOB",
        "tags": ["a", None],
        "by_name": {"x": 1},
        "pet": {"kind": "dog"},
    }
    assert Parent(name="bob", tags=["a"]) == {"name": "bob", "tags": ["a"], "by_name": {}, "pet": {"kind": "cat"}}
    assert Child.schema()["properties"]["Name"]["description"] == "who"
    for mine, its in zip(Child.__fields__.values(), Parent.__fields__.values(), strict=True):
        assert mine is not its and mine.field_info is not its.field_info
        assert mine.class_validators is not its.class_validators
        assert not {id(one) for one in mine.sub_fields or ()} & {id(one) for one in its.sub_fields or ()}


def test_pydantic_is_left_as_it_was() -> None:
    assert main.smart_deepcopy is utils.smart_deepcopy
