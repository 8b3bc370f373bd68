"""Has the process that finds this at its start killed by the system as it reads a certain image."""

import os
import signal

former = os.open


def open(name, *arguments, **options):
    if str(name).endswith("05-deadly.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return former(name, *arguments, **options)


os.open = open
