"""The figures the project is held to, measured: `python -m tests.benchmarks`."""
