"""The lowest floor: canonical tables and their contracts, transforms, and the Feast store they feed."""

import gc

# Imported libraries and loaded models are millions of objects that live as long as the process: searching them for
# garbage again and again took a fifth of every start.
gc.set_threshold(100_000, 20, 50)
