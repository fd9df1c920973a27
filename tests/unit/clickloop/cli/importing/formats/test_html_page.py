"""A web page becomes what a reader sees of its main part."""

from __future__ import annotations

from clickloop.cli.importing.formats.html_page import read_page, visible_text

PAGE = b"""<!doctype html><html lang="en-GB"><head><title> Reset your
 password </title><meta name="description" content="How to get back in.">
<link rel="canonical" href="https://example.org/reset"><style>p {}</style></head>
<body><nav>Home</nav><header>Site</header>
<main><h1>Reset your password</h1><p>Open <b>Settings</b>, then
   <i>Security</i>.</p><script>track()</script><ul><li>One</li><li>Two</li></ul>
<pre>line 1
  line 2</pre><table><tr><td>a</td><td>b</td></tr></table><!-- hidden --></main><footer>(c)</footer></body></html>"""


def test_a_page_is_its_main_part_with_what_its_head_says() -> None:
    assert read_page(PAGE) == {
        "title": "Reset your password",
        "url": "https://example.org/reset",
        "description": "How to get back in.",
        "lang": "en-GB",
        "text": "Open Settings, then Security.\nOne\nTwo\nline 1\n  line 2\na\nb",
    }


def test_without_a_title_the_first_heading_is_it() -> None:
    page = read_page("<body><h1>Größe</h1><p>Text<br>more</body>".encode())
    assert page == {"title": "Größe", "text": "Text\nmore"}


def test_several_articles_are_all_read() -> None:
    assert read_page(b"<article>a</article><article>b</article><aside>c</aside>")["text"] == "a\nb\nc"


def test_a_page_says_its_encoding() -> None:
    content = '<html><head><meta charset="iso-8859-1"></head><body>Größe</body></html>'.encode("latin-1")
    assert read_page(content)["text"] == "Größe"


def test_a_page_without_anything_is_empty() -> None:
    assert read_page(b"") == {"text": ""}
    assert visible_text("<b>a</b> b") == "a b"
