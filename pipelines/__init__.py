"""Kubeflow pipelines of the whole loop, their compute resources, and the `adloop` command."""
