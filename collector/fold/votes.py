"""What votes say of documents, and what new lists, outcomes and clicks elsewhere change of it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from collector.fold.counts import NO_COUNTS, EvidenceCounts, count_votes, difference
from collector.fold.lists import ShownList
from foundation.clock import period_of
from foundation.contracts import BROWSE, Impression, query_key


class Vote(NamedTuple):
    """All lists of one user for one query in one week."""

    query_key: str
    unit: str
    period: int


class EvidenceKey(NamedTuple):
    """Where evidence is kept, within a collection; that of searches without user and session apart."""

    query_key: str
    period: int
    document_id: str
    nameless: bool


VoteLists = dict[Vote, list[ShownList]]
VoteCounts = dict[tuple[Vote, bool], dict[str, EvidenceCounts]]
"""What each vote says of each document, with whether the vote is nameless."""
VotesByList = dict[str, Vote]
"""The vote that a list belongs to, by its query id."""


class PersonWeek(NamedTuple):
    """All that one user did in one week."""

    unit: str
    period: int

    @classmethod
    def of(cls, vote: Vote) -> PersonWeek:
        """Return the week that a vote belongs to."""
        return cls(vote.unit, vote.period)


LastClicks = Mapping[PersonWeek, datetime]
"""When the latest list with a click was shown, by person and week; see `collector.fold.lists.was_examined`."""


def is_nameless(vote: Vote, lists: Iterable[ShownList]) -> bool:
    """Return whether nobody knows whose vote it is: a list without user and session is a unit of its own."""
    return all(one.query_id == vote.unit for one in lists)


def count(lists: VoteLists, lists_per_user: int, last_clicks: LastClicks) -> VoteCounts:
    """Return what votes say; those of lists that answered no query say nothing."""
    return {
        (vote, is_nameless(vote, some)): count_votes(some, lists_per_user, last_clicks.get(PersonWeek.of(vote)))
        for vote, some in lists.items()
        if vote.query_key != BROWSE
    }


def changes_of(before: VoteCounts, after: VoteCounts) -> dict[EvidenceKey, EvidenceCounts]:
    """Return what must be added to the evidence when votes that counted as `before` count as `after`."""
    total: dict[EvidenceKey, EvidenceCounts] = {}
    for counted in before.keys() | after.keys():
        vote, nameless = counted
        for document_id, counts in difference(before.get(counted, {}), after.get(counted, {})).items():
            key = EvidenceKey(vote.query_key, vote.period, document_id, nameless)
            total[key] = total[key].plus(counts) if key in total else counts
    return {key: counts for key, counts in total.items() if counts != NO_COUNTS}


def renew(before: VoteLists, added: Iterable[tuple[Vote, ShownList]], changed: Mapping[str, ShownList]) -> VoteLists:
    """Return the first lists of votes with new lists and new outcomes; there may be a few more than count."""
    after = {vote: [changed.get(one.query_id, one) for one in lists] for vote, lists in before.items()}
    for vote, one in added:
        after.setdefault(vote, []).append(one)
    return after


def renew_clicks(before: LastClicks, lists: Iterable[tuple[Vote, ShownList]]) -> LastClicks:
    """Return the last clicks when lists are added, or have clicks that they had not."""
    after = dict(before)
    for vote, one in lists:
        week = PersonWeek.of(vote)
        if one.tells and one.query_id != vote.unit and (week not in after or after[week] < one.at):
            after[week] = one.at
    return after


def vote_of(impression: Impression) -> Vote:
    """Return the vote that a list belongs to."""
    return Vote(query_key(impression.query), impression.unit, period_of(impression.at))
