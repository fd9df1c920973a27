"""A program that tells how nice it is and then does nothing, until it is ended."""

from __future__ import annotations

import os
import sys
import time

sys.stdout.write(f"{os.nice(0)}\n")
sys.stdout.flush()
time.sleep(600)
