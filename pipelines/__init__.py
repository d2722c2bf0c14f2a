"""The loop from end to end: Kubeflow pipelines, where they run, and the `adloop` command."""
