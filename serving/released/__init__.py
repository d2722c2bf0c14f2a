"""Which versions are to answer: what a release writes, and all that answer follow."""
