"""The `adloop` command with the probe in the catalog, also in the processes that it starts: they import this again."""

from tests.integration import probe

probe.install()

if __name__ == "__main__":
    from pipelines.cli import main

    main()
