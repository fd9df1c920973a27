from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.present.links import link_of


@pytest.mark.parametrize(
    "url", ["", "/help/a", "a.html?x=1:2", "//cdn.example/a", "https://a.example", "HTTP://a", "#b"]
)
def test_http_and_relative_addresses_are_links(url: str) -> None:
    assert link_of(url) == url


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:x", "data:text/html,x", "file:///etc", "C:\\a"]
)
def test_no_other_scheme_is(url: str) -> None:
    assert link_of(url) == ""


@given(st.text())
def test_any_text_is_a_link_as_it_is_or_none(url: str) -> None:
    assert link_of(url) in (url, "")
