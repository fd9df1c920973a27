"""Turns a process that `foundation.processes.children` started into the module it was started for."""

from __future__ import annotations

import os
import runpy
import signal
import sys

from foundation.processes.children import end_after

_STANDARD_INPUT = 0
_AT_ONCE = 4096


def main() -> None:
    """Run `python -m foundation.processes.child NICENESS MODULE ARGUMENTS...`."""
    niceness, module, *arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that ignores it hands that on
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is sent to the parent too, who decides
    os.nice(int(niceness))
    end_after(_await_end_of_input)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _await_end_of_input() -> None:
    """Read past Python's own reader, whose lock a thread that waits would hold while the interpreter ends."""
    while os.read(_STANDARD_INPUT, _AT_ONCE):
        pass


if __name__ == "__main__":
    main()
