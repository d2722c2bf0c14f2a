"""The lowest floor: canonical tables and their contracts, transforms, and the Feast store they feed."""

import gc

from features.entry_points import read_once
from features.lazy_imports import always_inside, always_lazily, standing_in, without

#: Of adloop. The images hold the code, but no installed package that could be asked.
__version__ = "0.1.0"

# Imported libraries and loaded models are millions of objects that live as long as the process: searching them for
# garbage again and again took a fifth of every start.
gc.set_threshold(100_000, 20, 50)

# SciPy imports all that NumPy has, and httpx what its command line draws with: a third of what each takes to import.
always_lazily("numpy.f2py", "numpy.testing")
always_lazily(*(f"rich.{part}" for part in ("console", "markup", "progress", "syntax", "table")))
# Redis imports OpenTelemetry's SDK, half as much again as itself, for metrics that nothing here asks it for.
always_inside(lambda: without("opentelemetry.sdk.metrics"), "redis.observability.providers")
# PyArrow, which pandas imports, reads the help of each function's options for the help of the function, which takes as
# long as to make the functions: here, no function's help tells of its options.
always_inside(
    lambda: standing_in("pyarrow.vendored.docscrape", NumpyDocString=lambda _: {"Parameters": ()}), "pyarrow.compute"
)
read_once()
