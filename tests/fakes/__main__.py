"""`python -m tests.fakes PLATFORM... [-- COMMAND...]`"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import click

from tests.fakes import catalog
from tests.fakes.fake import running


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("said", nargs=-1, required=True, type=click.UNPROCESSED, metavar="PLATFORM... [-- COMMAND...]")
def main(said: tuple[str, ...]) -> None:
    """Run stand-ins for platforms, until stopped or while COMMAND runs.

    Prints the variables that point adloop at them, and each one's control port: POST /faults scripts faults, GET /calls
    and GET /objects show what came, POST /edit edits as a person at the platform would.
    """
    names = said[: said.index("--")] if "--" in said else said
    command = said[len(names) + 1 :]
    unknown = [name for name in names if name not in catalog.NAMES]
    if unknown or not names:
        raise click.UsageError(f"{', '.join(unknown) or 'PLATFORM'}: expected of {', '.join(catalog.NAMES)}")
    with ExitStack() as stack:
        fakes = [stack.enter_context(running(catalog.fake(name))) for name in names]
        variables = {name: value for one in fakes for name, value in one.environment.items()}
        if command:
            raise SystemExit(subprocess.run(command, env=os.environ | variables, check=False).returncode)
        for one in fakes:
            click.echo(f"# {one.fake.name} control: {one.control} (x-control-token: {one.token})")
        for name, value in variables.items():
            click.echo(f"export {name}='{value}'")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
