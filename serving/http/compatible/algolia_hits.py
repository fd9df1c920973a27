"""A hit as Algolia's clients show it: its attributes, and the words of the query marked in them."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

from serving.http.compatible.algolia_query import AlgoliaQuery
from serving.present.highlight import Highlighter, Mark
from serving.present.links import link_of
from serving.records import RenderedHit, SearchResult

_MAX_MARKED = 512
"""Characters of a field whose words are marked; a longer one is text, of which there is a snippet."""
_EVERY = "*"


class HitWriter:
    """Writes the hits of one answer."""

    def __init__(self, query: AlgoliaQuery, result: SearchResult) -> None:
        self._query = query
        self._words = result.query.words
        self._highlighter = Highlighter(self._words, result.corpus.lexical.stems)
        # Tags of HTML are meant for a page as they are, so all else is escaped; others are replaced by the client.
        self._escape: Callable[[str], str] = html.escape if query.pre_tag.startswith("<") else str

    def write(self, hit: RenderedHit) -> dict[str, Any]:
        """Return a hit."""
        document = hit.document
        own = {"title": document.title, "text": document.text, "url": link_of(document.url)}
        attributes = {**document.fields, **{name: value for name, value in own.items() if value}}
        marks = hit.marks
        marked = {
            name: self._mark_value(value)
            for name, value in attributes.items()
            if name != "text" and isinstance(value, str | list)
        }
        snippet = self._mark(hit.snippet, marks.snippet if marks else ())
        wanted = self._query.attributes
        kept = attributes if not wanted or _EVERY in wanted else {n: v for n, v in attributes.items() if n in wanted}
        highlighted = {name: value for name, value in marked.items() if value is not None}
        return {
            **kept,
            "objectID": document.id,
            "_highlightResult": {**highlighted, **({"text": snippet} if document.text else {})},
            "_snippetResult": {"text": {"value": snippet["value"], "matchLevel": snippet["matchLevel"]}},
        }

    def _mark_value(self, value: Any) -> Any:
        if isinstance(value, list):
            texts = [one for one in value if isinstance(one, str) and len(one) <= _MAX_MARKED]
            return [self._mark(one, self._highlighter.find(one)) for one in texts] or None
        return self._mark(value, self._highlighter.find(value)) if len(value) <= _MAX_MARKED else None

    def _mark(self, text: str, marks: Sequence[Mark]) -> dict[str, Any]:
        parts, end = [], 0
        for start, stop in marks:
            marked = self._escape(text[start:stop])
            parts += [self._escape(text[end:start]), self._query.pre_tag, marked, self._query.post_tag]
            end = stop
        found = [text[start:stop].lower() for start, stop in marks]
        words = list(dict.fromkeys(found))
        level = "none" if not words else "full" if len(words) >= len(self._words.split()) else "partial"
        value = "".join([*parts, self._escape(text[end:])])
        return {"value": value, "matchLevel": level, "matchedWords": words}
