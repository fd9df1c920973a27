"""Who did it: the name that moves, decisions, holds, erasures, keys and settings are recorded under.

A person is known by the key of the request or, at the command line, by the user of the machine. A change that nobody
asked for carries the name of what made it.
"""

from __future__ import annotations

import getpass

ACTOR_LENGTH = 200
"""The longest actor that a table holds: a key's name and what stands before it."""

AUTOPILOT = "autopilot"
"""The autopilot, for what it decides of a training run."""
SCHEDULE = "schedule"
"""What is done because its time has come."""
GATE = "gate"
"""The gate, for what it decides of a candidate."""
QUARANTINE = "quarantine"
"""The looks at how users behave, for those whom they hold."""
EXPERIMENT = "experiment"
"""An experiment's own test, for what it decides."""
LOCAL = "local"
"""A caller of a service that needs no keys, or one in this process."""


def command_line_actor() -> str:
    """Return who runs a command that works on the database: `cli:USER`, or `cli` where the user has no name."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # an account of a container that has no entry in its password file
        return "cli"
    return f"cli:{user}"[:ACTOR_LENGTH]
