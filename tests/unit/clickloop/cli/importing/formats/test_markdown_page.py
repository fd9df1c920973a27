"""A Markdown file becomes title, text and fields."""

from __future__ import annotations

import pytest

from clickloop.cli.importing.formats.markdown_page import read_page

PAGE = """---
title: Printing
tags: [paper, ink]
date: 2026-01-05
id: print-1
---
# Printing envelopes

Choose *Insert* and [Envelope](/e.md),
then `Print`. ![A tray](t.png)

```sh
lp --size C5
  # twice
```

- one
- two

| size | code |
|------|------|
| C5   | 7    |

<p>raw <b>html</b></p>
"""


def test_front_matter_is_fields_and_text_loses_its_marks() -> None:
    page = read_page(PAGE.encode())
    assert page["title"] == "Printing"
    assert page["tags"] == ["paper", "ink"]
    assert page["date"] == "2026-01-05"
    assert page["fields"] == {"id": "print-1"}
    assert page["text"].split("\n") == [
        "Printing envelopes",
        "Choose Insert and Envelope, then Print. A tray",
        "lp --size C5",
        "  # twice",
        "one",
        "two",
        "size",
        "code",
        "C5",
        "7",
        "raw html",
    ]


def test_the_first_heading_is_the_title_and_leaves_the_text() -> None:
    page = read_page("\ufeffIntro\r\n\r\nA `title`\r\n=====\r\nText\r\n".encode())
    assert (page["title"], page["text"]) == ("A title", "Intro\nText")


def test_a_rule_is_no_front_matter() -> None:
    assert read_page(b"Text\n\n---\n\nmore")["text"] == "Text\nmore"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"---\na: [\n---\n", "front matter"),
        (b"---\n- a\n---\n", "names and values"),
        (b"\xff", "utf-8"),
        (b"---\na: !!binary AAAA\n---\n", "bytes"),
    ],
)
def test_what_cannot_be_read_is_told(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_page(content)
