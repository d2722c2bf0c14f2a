from click.testing import CliRunner
from rich.console import Console

from tests.benchmarks.__main__ import PARTS, main, table
from tests.benchmarks.rows import Row


def test_a_name_no_row_begins_with_is_refused():
    result = CliRunner().invoke(main, ["--only", "weather"])
    assert result.exit_code == 2
    assert "no row begins with" in result.output


def test_every_part_names_rows_of_its_own():
    assert all(name.startswith(part) for part, names in PARTS.items() for name in names)


def test_the_table_marks_met_missed_and_absent():
    console = Console(width=160, record=True)
    console.print(
        table(
            [
                Row("churn.telco.auc", 0.853, 0.841, 0.864, 0.845, ">= .850"),
                Row("churn.telco.ece", 0.031, goal="<= .02"),
                Row("ltv.cdnow.mae", goal="< 32.68", absent="needs adloop[spark]"),
            ]
        )
    )
    auc, ece, mae = (line for line in console.export_text().splitlines() if "telco" in line or "cdnow" in line)
    assert "0.841 to 0.864" in auc
    assert "0.845" in auc
    assert " met " in auc
    assert " missed " in ece
    assert "absent" in mae
    assert "needs adloop[spark]" in mae
