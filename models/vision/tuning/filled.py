"""Arrays that are too large for memory, filled picture by picture in a file."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: Rows after which the file is safe.
AT_ONCE = 50

Filled = npt.NDArray[np.float16]


def filled(file: Path, shape: tuple[int, ...], rows: Callable[[int], Iterator[npt.NDArray[Any]]]) -> Filled:
    """An array (rows, ...) on the disk; goes on where it was killed.

    Args:
        rows: the rows from this one on, each asked for when it is needed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    progress = file.with_suffix(".json")
    done = json.loads(progress.read_text())["rows"] if progress.exists() else 0
    array = np.memmap(file, np.float16, "r+" if done else "w+", shape=shape)
    rest = rows(done)
    for start in range(done, len(array), AT_ONCE):
        for place, row in enumerate(islice(rest, AT_ONCE), start):
            array[place] = row
        array.flush()
        aside = progress.with_suffix(".aside")
        aside.write_text(json.dumps({"rows": min(start + AT_ONCE, len(array))}))
        aside.replace(progress)
    return array
