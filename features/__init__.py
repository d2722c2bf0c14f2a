"""The lowest floor: canonical tables and their contracts, transforms, and the Feast store they feed."""

import gc

#: Of adloop. The images hold the code, but no installed package that could be asked.
__version__ = "0.1.0"

# Imported libraries and loaded models are millions of objects that live as long as the process: searching them for
# garbage again and again took a fifth of every start.
gc.set_threshold(100_000, 20, 50)
