"""Public interface of the feature store: build a snapshot, join examples with it, publish it, read it online."""

from features.offline import FutureLeak, Snapshot, build, training_frame
from features.online import Online, OnlineStoreUnavailable, UnknownEntity, publish

__all__ = [
    "FutureLeak",
    "Online",
    "OnlineStoreUnavailable",
    "Snapshot",
    "UnknownEntity",
    "build",
    "publish",
    "training_frame",
]
