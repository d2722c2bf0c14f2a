"""What answers: model endpoints, canary rollout and monitoring."""

from features.lazy_imports import always_lazily, packages_always_lazily

# KServe imports the whole client of a cluster, a third of its own import, and only a rollout on one asks it anything.
_CLIENT = ("client", "config", "dynamic", "leaderelection", "stream", "utils", "watch")
always_lazily(*(f"kubernetes.{part}" for part in _CLIENT))
# Its own package imports that client's and a record of every object of a cluster, which takes a tenth of the rest.
packages_always_lazily("kserve")
