"""The tree of errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from foundation import errors
from foundation.errors import ClickloopError, FieldFault, InvalidRequest, MissingExtra, needs_extra


def tree(root: type[ClickloopError]) -> Iterator[type[ClickloopError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


ALL = list(tree(ClickloopError))


@pytest.mark.parametrize("error", ALL)
def test_every_error_says_its_kind_its_status_and_its_detail(error: type[ClickloopError]) -> None:
    raised = error("what, where, what to do", (FieldFault("k", "must be positive"),))
    assert str(raised) == raised.detail == "what, where, what to do"
    assert raised.fields[0].field == "k"
    assert raised.title
    assert not raised.title.endswith(".")
    assert 400 <= raised.status <= 599


def test_every_kind_has_a_name_of_its_own() -> None:
    slugs = [error.slug for error in ALL]
    assert len(slugs) == len(set(slugs))


def test_only_errors_of_the_moment_are_worth_a_retry() -> None:
    assert {error.status for error in ALL if error.retryable} == {408, 429, 503, 507}


def test_an_unreadable_body_is_an_invalid_request() -> None:
    assert issubclass(errors.UnreadableBody, InvalidRequest)


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    assert errors.__doc__ is not None
    for error in ALL:
        if error.__module__ == errors.__name__:
            assert error.__name__ in errors.__doc__


def test_a_missing_extra_is_named_with_the_setting_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with (
        pytest.raises(MissingExtra, match=r"CLICKLOOP_MLFLOW_URL needs mlflow, which is missing.*clickloop\[mlflow\]"),
        needs_extra("mlflow", "CLICKLOOP_MLFLOW_URL"),
    ):
        import mlflow  # noqa: F401, PLC0415  the import is what is tested
