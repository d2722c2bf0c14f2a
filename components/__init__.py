"""The steps of the loop, one folder each: `step.py` has the function, `component.py` wraps it for Kubeflow."""
