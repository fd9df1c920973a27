"""Turns a process that `foundation.children` started into the module it was started for."""

from __future__ import annotations

import os
import runpy
import signal
import sys

from foundation.children import end_after


def main() -> None:
    """Run `python -m foundation.child NICENESS MODULE ARGUMENTS...`."""
    niceness, module, *arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that ignores it hands that on
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is sent to the parent too, who decides
    os.nice(int(niceness))
    end_after(sys.stdin.buffer.read)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
