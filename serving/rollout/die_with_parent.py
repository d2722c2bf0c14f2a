"""`python die_with_parent.py PARENT COMMAND…`: executes COMMAND, which the kernel kills when process PARENT dies.

A killed release cannot clean up; on Linux its servers die with it.
"""

import os
import sys


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    die_with_parent()
    if os.getppid() != parent:  # it died before prctl
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the parent gives the command


def die_with_parent() -> None:
    """From now on the kernel kills this process when its parent dies; where that is no Linux, nothing is changed."""
    if sys.platform == "linux":
        import ctypes
        import signal

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
