"""What each hit of an answer shows: its document, its rank, its snippet, and the words of the query in it."""

from __future__ import annotations

from serving.present.highlight import Highlighter
from serving.present.snippet import cut_snippet
from serving.records import Marks, RenderedHit, SearchResult


def render(result: SearchResult) -> list[RenderedHit]:
    """Return the lines of an answer."""
    corpus, hits, words = result.corpus, result.ranking.hits, result.query.words
    near = corpus.nearness([hit.row for hit in hits], result.query.vector)
    highlighter = Highlighter(words, corpus.lexical.stems) if result.request.highlights else None
    lines = []
    for rank, (hit, passages) in enumerate(zip(hits, near, strict=True), start=result.request.offset + 1):
        document = corpus.document(hit.row)
        snippet = cut_snippet(document.text, words, passages, corpus.passage_words)
        marks = Marks(highlighter.find(document.title), highlighter.find(snippet)) if highlighter else None
        lines.append(RenderedHit(rank, hit, document, snippet, marks))
    return lines
