"""Processes in pid namespaces of their own, as containers are."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest

ALONE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@functools.cache
def _refusal() -> str:
    try:
        tried = subprocess.run([*ALONE, "true"], check=False, capture_output=True, text=True)  # noqa: S603  ours
    except FileNotFoundError:
        return "there is no unshare here"
    return tried.stderr.strip() if tried.returncode else ""


def need_namespaces() -> None:
    """Skip the test where this user may not make pid namespaces."""
    if reason := _refusal():
        pytest.skip(f"pid namespaces cannot be made: {reason}")


def start_contained(script: str) -> subprocess.Popen[str]:
    """Start Python on a script, as the first process of a pid namespace; it reads and writes lines of text."""
    command = [*ALONE, sys.executable, "-c", script]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  ours
