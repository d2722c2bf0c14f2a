"""`python -m tests.fakes PLATFORM,... [COMMAND...]`"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import click

from tests.fakes import catalog
from tests.fakes.fake import running

#: Those on which simulated campaigns can run.
AD_PLATFORMS = ("google_ads", "meta", "linkedin")


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("platforms")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(platforms: str, command: tuple[str, ...]) -> None:
    """Run stand-ins for PLATFORMS (meta,google_ads or all), until stopped or while COMMAND runs.

    Prints the variables that point adloop at them, and each one's control port: POST /faults scripts faults, GET /calls
    and GET /objects show what came, POST /edit edits as a person at the platform would.
    """
    names = list(catalog.NAMES) if platforms == "all" else platforms.split(",")
    unknown = [name for name in names if name not in catalog.NAMES]
    if unknown:
        raise click.UsageError(f"{', '.join(unknown)}: expected of {', '.join(catalog.NAMES)}, or all")
    with ExitStack() as stack:
        fakes = [stack.enter_context(running(catalog.fake(name))) for name in names]
        variables = {name: value for one in fakes for name, value in one.environment.items()}
        variables["ADLOOP_STAND_INS"] = ",".join(name for name in names if name in AD_PLATFORMS)
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
