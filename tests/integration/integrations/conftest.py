"""What tests of platforms share: a ledger of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.integrations.ledger import WriteLedger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WriteLedger]:
    opened = WriteLedger(tmp_path / "ledger.db")
    yield opened
    opened.close()
