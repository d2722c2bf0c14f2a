"""`python -m serving.inference`, with the toy families in the catalog."""

import pytest

from serving.inference.__main__ import main
from tests.toyland import toyland

if __name__ == "__main__":
    toyland.add(pytest.MonkeyPatch(), *toyland.OTHERS)
    main()
