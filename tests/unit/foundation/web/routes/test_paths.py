"""Paths, some of whose parts may be anything."""

from __future__ import annotations

from foundation.web.routes.paths import PathMap, PathSet


def test_a_part_may_be_anything_without_a_slash() -> None:
    paths = PathSet({"/v1/search", "/rank/{model}", "/1/indexes/*/queries", "/1/indexes/{index}/query"})
    for path in ("/v1/search", "/rank/default", "/1/indexes/*/queries", "/1/indexes/a.b c/query"):
        assert path in paths
    for path in ("/rank/", "/rank/a/b", "/1/indexes/x/queries", "/v1/search/", "/rank/a\n/b", ""):
        assert path not in paths


def test_sets_are_added_and_taken_apart_as_they_were_given() -> None:
    paths = PathSet({"/a", "/b/{x}"})
    assert "/c/1" in (paths | {"/c/{y}"})
    assert "/b/1" not in paths - {"/b/{x}"}
    assert list(paths) == ["/a", "/b/{x}"]


def test_what_belongs_to_a_path_is_found() -> None:
    found = PathMap([("/a", 1), ("/b/{x}", 2)])
    assert (found.get("/a"), found.get("/b/z"), found.get("/c")) == (1, 2, None)
