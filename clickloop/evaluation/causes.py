"""Why words and meaning answer one query differently: the likeliest of a few causes (pure).

They are read off judgments, texts and the ten results of both, first match first; they say where to look, not what is
proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from clickloop.evaluation.failures import DEPTH, Texts, is_identifier, stems_of, words_of

CAUSES = {
    "nothing answers": "Judges found no document that answers.",
    "as good": "Both rank it about as well.",
    "unjudged": "Most of what the worse one shows was never judged; its figure is a lower bound.",
    "identifier": "The query names a part number or the like, which words find and meaning blurs.",
    "drift": "Meaning shows what is about something like it, without the query's own words.",
    "other words": "What answers says it in other words than the query.",
    "many hold the words": "Ten or more documents hold every word, and words alone cannot order them.",
    "order": "Both find much the same, and order it differently.",
}
"""Causes in the order in which they are tried, with what they mean."""

_SAME = 0.05
_MISSING = 0.25
_HELD = 1 / 2


def find_cause(
    query: str,
    grades: Mapping[str, int],
    by_words: Sequence[str],
    by_meaning: Sequence[str],
    difference: float,
    texts: Texts,
) -> str:
    """Return the likeliest of `CAUSES` for the difference between two rankings of one query.

    Args:
        grades: By document id; above 0 is relevant.
        by_words: Document ids, best first; so `by_meaning`.
        difference: How much better words rank it, in any measure from 0 to 1; negative where meaning does.
    """
    if not any(grade > 0 for grade in grades.values()):
        return "nothing answers"
    if abs(difference) < _SAME:
        return "as good"
    words, meaning = by_words[:DEPTH], by_meaning[:DEPTH]
    better, worse = (words, meaning) if difference > 0 else (meaning, words)
    refused_some = any(grade <= 0 for grade in grades.values())
    if refused_some and sum(name not in grades for name in worse) > len(worse) / 2:
        return "unjudged"
    stems = stems_of(query)
    found = [name for name in better if grades.get(name, 0) > 0 and name not in worse]
    if difference > 0:
        return _why_words(query, stems, found, [name for name in meaning if grades.get(name, 0) <= 0], texts)
    if found and fmean(texts.share_held(name, stems) for name in found) < _HELD:
        return "other words"
    return "many hold the words" if texts.holding(stems) >= DEPTH else "order"


def _why_words(query: str, stems: Sequence[str], found: Sequence[str], wrong: Sequence[str], texts: Texts) -> str:
    """Return why words are better, who alone found some documents, where meaning shows some wrong ones."""
    if any(is_identifier(word) and any(texts.is_rare(word, name) for name in found) for word in words_of(query)):
        return "identifier"
    if found and wrong:
        held, held_by_wrong = (fmean(texts.share_held(name, stems) for name in names) for names in (found, wrong))
        if held - held_by_wrong >= _MISSING:
            return "drift"
    return "order"
