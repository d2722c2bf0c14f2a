"""One release of the probe as a process of its own, to be killed: HOME VERSION PLAN."""

import json
import sys
from pathlib import Path

from components.release import step
from features.settings import Settings
from serving.rollout.fleet import Fleet
from tests.integration import probe

if __name__ == "__main__":
    probe.install()
    Fleet.module = probe.SERVER
    home, version, plan = sys.argv[1:]
    step.release("probe", version, json.loads(plan), Settings(home=Path(home)))
