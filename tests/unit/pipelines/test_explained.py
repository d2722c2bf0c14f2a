"""What goes wrong around the command is said in a line each, with what to do."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from components.__main__ import main as components
from pipelines.cli import main
from pipelines.explained import one_line
from serving.rollout.plan import CannotServe

ROOT = Path(__file__).parents[3]


def ran(*arguments: str, **environment: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments), env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "-inf", "1e400", "0", "-3", "many", ""])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    code, told = ran("key", "--scope", "decide", "--per-second", value, ADLOOP_HOME=str(tmp_path))
    assert code == 2 and "--per-second" in told
    assert not (tmp_path / "keys" / "api.json").exists()


@pytest.mark.parametrize("file", ["parms.yaml", "."])
def test_parameters_to_serve_by_that_are_not_there_are_refused(tmp_path: Path, file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # what is served all the same ends there
        place = {"ADLOOP_HOME": str(tmp_path / "home"), "ADLOOP_PORT": str(taken.getsockname()[1])}
        code, told = ran("serve", "--params", file, **place)
    assert code == 2 and f"'{file}'" in told.splitlines()[-1]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", ["", "{", "seed: 1", "decisions: 3\nseed: 1", "- a", "\x00"])
def test_parameters_to_serve_by_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(content)
    code, told = ran("serve", "--params", str(file), ADLOOP_HOME=str(tmp_path / "home"))
    assert code == 1 and told.startswith("Error: ") and "\n" not in told
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("command", [("key", "--scope", "decide"), ("serve",), ("kill", "--why", "x")])
def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, told = ran(*command, ADLOOP_HOME=str(tmp_path / "file"))
    assert code == 1 and "\n" not in told.removeprefix("serves models only").strip()
    assert str(tmp_path / "file") in told.splitlines()[-1]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(number: int) -> None:
    told = one_line(OSError(number, os.strerror(number), "/srv/home/keys"))
    assert told is not None and told.startswith(f"/srv/home/keys: {os.strerror(number)}; ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADLOOP_PORT", "eighty"),
        ("ADLOOP_PORT", "99999"),
        ("ADLOOP_PORT", "-1"),
        ("ADLOOP_DETECTORS", "none"),
        ("ADLOOP_REQUESTS_DAYS", "-1"),
        ("ADLOOP_THREADS", "0"),
        ("ADLOOP_MEMORY_LIMIT", "lots"),
        ("ADLOOP_MEMORY_LIMIT", "-4GiB"),
    ],
)
def test_a_variable_that_is_wrong_is_named(name: str, value: str) -> None:
    code, told = ran("status", **{name: value})
    assert code == 1 and told.startswith(f"Error: {name}: ") and "\n" not in told


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--cutoff", ["nonsense", "2024-13-01", "nan"]),
        ("--horizon", ["5parsecs", "-3d", "0d", "12", "3h", "nan"]),
    ],
)
def test_a_moment_or_a_span_that_is_none_is_refused_before_anything_is_read(option: str, values: list[str]) -> None:
    for value in values:
        code, told = ran("evaluate", "ltv", "--data", "nowhere", option, value)
        assert code == 2 and f"'{option}': expected a" in told and f"got {value}" in told


def test_a_folder_to_write_to_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    code, told = ran("compile", "--out", str(tmp_path / "file"))
    assert code == 2 and "is a file" in told and "ADLOOP_HOME" not in told


def test_s3_without_credentials_is_said_in_a_line(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ours = {"AWS_EC2_METADATA_DISABLED": "true", "ADLOOP_HOME": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pipelines.cli", "check", "--data", "s3://nobodys-bucket/tables"]
    done = subprocess.run(command, cwd=ROOT, env={**clean, **ours}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "credentials" in done.stderr.lower() and done.stderr.count("\n") == 1, done.stderr


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    assert one_line(ZeroDivisionError("x")) is None
    assert one_line(click.UsageError("x")) is None
    assert one_line(KeyError("x")) is not None
    assert str(one_line(CannotServe("2", "it died"))).startswith("version 2 cannot be served: it died; the logs ")


@pytest.mark.parametrize("group", [main, components], ids=["adloop", "components"])
def test_help_keeps_the_lines_that_are_laid_out_by_hand(group: click.Group) -> None:
    """The mark of such lines stands alone, or click joins them."""
    helps = [command.help or "" for command in (group, *group.commands.values())]
    assert helps and all(line.strip(" ") == "\b" for told in helps for line in told.split("\n") if "\b" in line)
