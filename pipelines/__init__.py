"""Kubeflow pipelines of the whole loop, their compute resources, and the `adloop` command."""

import serving  # noqa: F401  # which leaves the client of Kubernetes for later: kfp imports it, as KServe does
