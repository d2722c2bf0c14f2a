"""`adloop serve` with the probe in the catalog: [PARAMS]."""

import logging
import sys
from pathlib import Path

from features.settings import Settings
from serving.rollout.fleet import Fleet
from serving.rollout.serve import serve
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    Fleet.module = probe.SERVER
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    serve(Settings(), Path(sys.argv[1]) if sys.argv[1:] else None)
