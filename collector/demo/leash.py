"""Run a program that must not outlive the process that started it, not even when that one is killed.

    python leash.py PARENT_PID PROGRAM [ARGUMENT...]

Asks Linux to end this process with its parent (prctl(2), PR_SET_PDEATHSIG, which survives execve), then becomes the
program. Imports nothing of the project, so that it takes no time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns."""
    parent, program, *arguments = int(sys.argv[1]), *sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        sys.exit(1)
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606  the stage's own children, without a shell
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")


if __name__ == "__main__":
    main()
