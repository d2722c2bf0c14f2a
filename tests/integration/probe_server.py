"""`python -m serving.inference`, with the probe family in the catalog."""

from serving.inference.__main__ import main
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    main()
