"""`adloop check` ends with 1 where tables cannot be used, and its proposal is a file that the others take."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main

SHOP = "Client No,Date,Total\n" + "".join(
    f'{number % 7},{number % 28 + 1:02}.01.2024,"{number},50"\n' for number in range(60)
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(SHOP)
    return tmp_path


def test_it_says_no_proposes_and_then_says_yes(shop: Path) -> None:
    refused = run("--data", shop, "--write", shop / "schema.yaml")
    assert refused.exit_code == 1
    assert "the tables are not usable" in refused.output
    accepted = run("--data", shop, "--schema", shop / "schema.yaml")
    assert accepted.exit_code == 0, accepted.output
    assert "Client No" in accepted.output and "the tables are usable" in accepted.output


def test_machines_are_told_the_same(shop: Path) -> None:
    told = json.loads(run("--data", shop, "--json").output)
    assert told["usable"] is False and told["proposed_usable"] is True
    assert told["proposed"]["tables"]["transactions"]["columns"]["customer_id"] == "Client No"


def test_what_the_proposal_does_not_mend_stands_in_it(shop: Path) -> None:
    (shop / "orders.csv").write_text("Client No,Date,Total\n1,03/04/2024,5\n")
    run("--data", shop, "--write", shop / "schema.yaml")
    assert "# not fixed: table 'transactions', column 'occurred_at'" in (shop / "schema.yaml").read_text()


@pytest.mark.parametrize("data", ["nowhere", "s3:/typo", "cdnow"])
def test_no_such_folder_is_one_line(tmp_path: Path, data: str) -> None:
    refused = run("--data", tmp_path / data if data != "cdnow" else data)
    assert refused.exit_code == 1 and refused.output.startswith("Error: ") and refused.output.count("\n") == 1


def test_a_schema_that_is_wrong_is_one_line(shop: Path) -> None:
    (shop / "schema.yaml").write_text("tables: {transactions: {decimel: ','}}\n")
    refused = run("--data", shop, "--schema", shop / "schema.yaml")
    assert refused.exit_code == 1 and "decimel" in refused.output and refused.output.count("\n") == 1


def test_help_teaches_the_schema_file() -> None:
    taught = run("--help").output
    for key in (
        "zone:",
        "file:",
        "columns:",
        "date_format:",
        "decimal:",
        "encoding:",
        "ids:",
        "duplicates:",
        "na_values:",
    ):
        assert key in taught
