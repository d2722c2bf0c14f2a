"""What is told of a step that failed, read from the log of its process."""

from pipelines.local_process import last_error

CHAINED = """\
00:00:01.000 - INFO - Streamed logs:

    Traceback (most recent call last):
      File "step.py", line 1, in read
        int("x")
    ValueError: invalid literal
   \x20
    During handling of the above exception, another exception occurred:
   \x20
    Traceback (most recent call last):
      File "step.py", line 2, in check
        raise ContractBroken
    features.contracts.ContractBroken: table 'customers', column 'age':
      row 7: -1
00:00:02.000 - ERROR - Task 'validate' finished with status FAILURE
"""


def test_the_last_exception_counts_and_its_module_does_not(tmp_path):
    log = tmp_path / "log"
    log.write_text("    Traceback (most recent call last):\n    KeyError: 'of the step before'\n" + CHAINED)
    start = log.read_text().index("00:00:01")
    assert last_error(log, start) == "ContractBroken: table 'customers', column 'age':\n  row 7: -1"


def test_a_step_that_was_killed_left_no_word(tmp_path):
    log = tmp_path / "log"
    log.write_text("    half a line of\n00:00:02.000 - ERROR - Task 'train' finished with status FAILURE\n")
    assert last_error(log, 0) == "it ended without an error message: killed, or out of memory"
