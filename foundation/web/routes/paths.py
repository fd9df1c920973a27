"""Sets of request paths, some of them with parts that may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")

_PART = re.compile(r"\{\w+\}")


class PathMap(Generic[Value]):
    """What belongs to paths, which are given as FastAPI writes them: `/rank/{model}`; a part holds no slash.

    Args:
        values: By path.
    """

    def __init__(self, values: Iterable[tuple[str, Value]] = ()) -> None:
        given = tuple(values)
        self._exact = {path: value for path, value in given if "{" not in path}
        self._patterns = tuple((_compile(path), value) for path, value in given if "{" in path)

    def get(self, path: str) -> Value | None:
        """Return what belongs to a path, None where nothing does."""
        found = self._exact.get(path)
        if found is not None or not self._patterns:
            return found
        return next((value for pattern, value in self._patterns if pattern.fullmatch(path)), None)


class PathSet:
    """A set of paths, given likewise."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._paths = frozenset(paths)
        self._found = PathMap((path, True) for path in self._paths)

    def __contains__(self, path: object) -> bool:
        """Return whether a request's path is one of them."""
        return isinstance(path, str) and self._found.get(path) is True

    def __or__(self, others: Iterable[str]) -> PathSet:
        """Return the set with further paths."""
        return PathSet(self._paths.union(others))

    def __sub__(self, others: Iterable[str]) -> PathSet:
        """Return the set without some paths, as they were given."""
        return PathSet(self._paths.difference(others))

    def __iter__(self) -> Iterator[str]:
        """Return the paths as they were given."""
        return iter(sorted(self._paths))


def _compile(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, _PART.split(path))))
