"""Changes are taken back only where what was before is known, and was not others'."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.integrations.apply import apply
from serving.integrations.change import Change, PlatformObject
from serving.integrations.ledger import WriteLedger
from serving.integrations.undo import CannotUndo, undo
from tests.unit.serving.campaigns.memory_platform import MemoryPlatform


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WriteLedger]:
    opened = WriteLedger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def change(platform: MemoryPlatform, change_id: str, target: str = "", **fields: object) -> Change:
    doing = "update" if target else "create"
    return Change(change_id, platform.name, platform.account, "keyword", doing, fields, "a test", "ann", target)


def test_a_field_that_was_not_there_is_not_taken_back_by_removing_the_object(ledger: WriteLedger) -> None:
    platform = MemoryPlatform()
    platform.shown["k"] = PlatformObject("keyword", "k", {"keyword": "shoes", "status": "live"})
    ledger.intend([change(platform, "bid", "k", bid=1.0)], 0.0)
    assert apply(platform, ledger).confirmed == ["bid"]
    with pytest.raises(CannotUndo, match="nothing is known"):
        undo(platform, ledger, "bid", "ann")


def test_what_was_there_before_it_was_sent_is_not_removed(ledger: WriteLedger) -> None:
    platform = MemoryPlatform()
    add = change(platform, "add", keyword="shoes", match="exact")
    platform.shown["k"] = PlatformObject("keyword", "k", add.fields)
    platform.made[add.marker] = "k"
    ledger.intend([add], 0.0)
    assert apply(platform, ledger).confirmed == ["add"]
    with pytest.raises(CannotUndo, match="before it was sent"):
        undo(platform, ledger, "add", "ann")
