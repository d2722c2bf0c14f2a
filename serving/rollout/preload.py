"""What the process that forks model servers does first."""

import os
import signal

from setproctitle import setproctitle

from features.lazy_imports import lasting

setproctitle("adloop: forks model servers")  # first, as it takes the place of the environment that the kernel shows
for name in [one for one in os.environ if one.startswith("ADLOOP_")]:
    del os.environ[name]  # secrets among them; each server is given its own
# A stop told to a whole group of processes would kill the servers with this one; they are to end gracefully. Before the
# imports, so that threads which they start block it too.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with lasting():
    import serving.inference.server  # noqa: F401 - for the servers
