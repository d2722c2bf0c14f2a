"""Reads events of a bus into the feedback of a folder until it is killed: `probe_bus FOLDER`, settings as ever."""

import sys
import threading
from pathlib import Path

from features.settings import Settings
from serving.decisions.api.kafka import KafkaFeedback
from tests.unit.serving.decisions.told import opened

if __name__ == "__main__":
    KafkaFeedback(Settings(), opened(Path(sys.argv[1]))[0].take)
    threading.Event().wait()
