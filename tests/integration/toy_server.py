"""`python -m serving.inference`, with the toy family in the catalog."""

from serving.inference.__main__ import main
from tests.integration import toys

if __name__ == "__main__":
    toys.install()
    main()
