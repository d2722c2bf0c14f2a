"""What a long command tells while it works: on standard error, so that its answer stays what it is."""

import pytest

from pipelines.console import progress


def test_each_stage_is_a_line_in_a_log_however_often_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as tell:
        for what, share in (("reading tables", 0.0), ("churn: fold 2 of 5", 0.4), ("comparing", 0.95)):
            tell(what, share)
            tell(what, share)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == ["  0% reading tables", " 40% churn: fold 2 of 5", " 95% comparing"]
