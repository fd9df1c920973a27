"""What votes say of documents, and what new lists and outcomes change of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collector.fold import NO_COUNTS, Counts, ShownList, difference
from collector.rows import EvidenceKey, Vote

VoteLists = dict[Vote, list[ShownList]]
Places = dict[str, Vote]
"""The vote that a list belongs to, by its query id."""


def changes_of(
    before: Mapping[Vote, Mapping[str, Counts]], after: Mapping[Vote, Mapping[str, Counts]]
) -> dict[EvidenceKey, Counts]:
    """Return what must be added to the evidence when votes that said `before` say `after`."""
    total: dict[EvidenceKey, Counts] = {}
    for vote in before.keys() | after.keys():
        for document_id, counts in difference(before.get(vote, {}), after.get(vote, {})).items():
            key = EvidenceKey(vote.query_key, vote.period, document_id)
            total[key] = total[key].plus(counts) if key in total else counts
    return {key: counts for key, counts in total.items() if counts != NO_COUNTS}


def renew(before: VoteLists, added: Iterable[tuple[Vote, ShownList]], changed: Mapping[str, ShownList]) -> VoteLists:
    """Return the first lists of votes with new lists and new outcomes; there may be a few more than count."""
    after = {vote: [changed.get(one.query_id, one) for one in lists] for vote, lists in before.items()}
    for vote, one in added:
        after.setdefault(vote, []).append(one)
    return after
