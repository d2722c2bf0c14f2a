"""`adloop serve` with the probe in the catalog: HOME PORT."""

import sys
from pathlib import Path

from features.settings import Settings
from serving.rollout.fleet import Fleet
from serving.rollout.serve import serve
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    Fleet.command = probe.SERVER
    serve(Settings(home=Path(sys.argv[1]), port=int(sys.argv[2])))
