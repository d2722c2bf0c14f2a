"""`adloop serve` with the probe in the catalog: HOME PORT [PARAMS]."""

import logging
import sys
from pathlib import Path

from features.settings import Settings
from serving.rollout.fleet import Fleet
from serving.rollout.serve import serve
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    Fleet.command = probe.SERVER
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    serve(Settings(home=Path(sys.argv[1]), port=int(sys.argv[2])), Path(sys.argv[3]) if sys.argv[3:] else None)
