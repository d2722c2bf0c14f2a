"""The verbs of the loop, one folder each: `step.py` does the work, `component.py` wraps it for Kubeflow."""
