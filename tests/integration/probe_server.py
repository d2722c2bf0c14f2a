"""`python -m serving.inference`, with the probe family in the catalog; records are in S3 sooner than usual."""

from serving.inference.__main__ import main
from serving.records import export
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    export.EVERY_S = 0.5
    main()
