"""Feast online store on packed rows: Feast defines and writes the online features."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.Value_pb2 import DoubleList, Value
from feast.repo_config import FeastConfigBaseModel

from features.packed.layout import Layout, moment
from features.packed.rows import Rows, rows_at


class PackedOnlineStoreConfig(FeastConfigBaseModel):
    """Configuration, by Feast's naming convention. `place`: path of a SQLite file, or a `redis://` address."""

    type: Literal["features.packed.online_store.PackedOnlineStore"]
    place: str


class PackedOnlineStore(OnlineStore):
    """An online store for entities with one text key."""

    def __init__(self) -> None:
        self._rows: Rows | None = None

    def online_write_batch(
        self,
        config: Any,
        table: Any,
        data: list[tuple[Any, dict[str, Any], datetime, datetime | None]],
        progress: Callable[[int], Any] | None,
    ) -> None:
        layout = Layout.of(table)
        packed = {_entity(key): layout.pack(values, at) for key, values, at, _ in data}
        self._opened(config).write(config.project, table.name, packed)
        if progress is not None:
            progress(len(data))

    def online_read(
        self, config: Any, table: Any, entity_keys: list[Any], requested_features: list[str] | None = None
    ) -> list[tuple[datetime | None, dict[str, Any] | None]]:
        layout = Layout.of(table)
        found = self._opened(config).ask(config.project, [_entity(key) for key in entity_keys])()
        return [_values(layout, rows.get(table.name), requested_features) for rows in found]

    def update(
        self,
        config: Any,
        tables_to_delete: Sequence[Any],
        tables_to_keep: Sequence[Any],
        entities_to_delete: Sequence[Any],
        entities_to_keep: Sequence[Any],
        partial: bool,
    ) -> None:
        if tables_to_delete:
            self._opened(config).drop(config.project, [view.name for view in tables_to_delete])

    def teardown(self, config: Any, tables: Sequence[Any], entities: Sequence[Any]) -> None:
        self._opened(config).drop(config.project, [view.name for view in tables])

    def _opened(self, config: Any) -> Rows:
        if self._rows is None:
            self._rows = rows_at(config.online_store.place)
        return self._rows


def _entity(key: Any) -> str:
    if len(key.entity_values) != 1 or not key.entity_values[0].HasField("string_val"):
        raise ValueError(f"expected an entity with one key that is text, got {list(key.join_keys)}")
    return str(key.entity_values[0].string_val)


def _values(
    layout: Layout, row: bytes | None, requested: list[str] | None
) -> tuple[datetime | None, dict[str, Any] | None]:
    if row is None:
        return None, None
    at, *floats = layout.floats([row])[0]
    # Compare bits: one specific NaN means missing, others are values.
    missing = layout.floats([row]).view("<u8")[0, 1:] == layout.floats([None]).view("<u8")[0, 1:]
    count = len(layout.numbers)
    told: dict[str, Any] = {}
    for place, name in enumerate(layout.numbers):
        told[name] = Value() if missing[place] else Value(double_val=floats[place])
    for place, name in enumerate(layout.booleans, start=count):
        told[name] = Value() if missing[place] else Value(bool_val=bool(floats[place]))
    for name, value in zip(layout.texts + layout.vectors, layout.told(row), strict=True):
        told[name] = _value(value)
    return moment(at), told if requested is None else {name: told[name] for name in requested}


def _value(told: str | list[float] | None) -> Value:
    if told is None:
        return Value()
    return Value(string_val=told) if isinstance(told, str) else Value(double_list_val=DoubleList(val=told))
