"""Frozen records that cross a border between parts. They know no web, SQL or broker."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from foundation.ids import digest_json
from foundation.language.folding import fold

EventType = Literal["seen", "click", "rating", "dwell", "conversion", "resolved", "unresolved", "abandon", "custom"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
EVENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""How apps may name the custom events of their own."""
DEFAULT_COLLECTION = "default"
COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
EXTERNAL = "external"
"""The version of an impression whose list an engine outside clickloop ranked."""

BROWSE = "*"
"""The query of a list of everything, in the owner's order. What people chose from it says nothing of any query."""

TEAMS = ("control", "treatment", "treatment_2")
"""The sides of an interleaved list, in the order of the plan's arms."""

CURVE_RANKS = 20
"""Ranks that the click curve distinguishes; deeper results count as rank 20."""

_SPACE = re.compile(r"\s+")


def query_key(query: str) -> str:
    """Return the form under which equal queries share evidence: its normal form, spaces collapsed."""
    return _SPACE.sub(" ", fold(query)).strip()


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a collection's catalog.

    Attributes:
        fields: Open, JSON-valued properties; filters refer to them by name.
        change: Position in the collection's change feed; later changes have larger numbers.
        deleted: Whether this record says that the document is gone.
    """

    id: str
    title: str
    text: str
    url: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    change: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One line of a result list as a user saw it.

    Attributes:
        rank: 1 on top.
        team: The sides that contributed it when interleaved, of `TEAMS` and joined by +, where it earns them credit;
            else "".
        propensity: Probability that this document stood at this rank, 1 when deterministic.
        own_ranks: Its rank in each arm's own list when interleaved, in the order of the plan's arms, 0 where that
            list lacks it.
        forced: Whether a rule of the owner put it at its rank. Nothing is learned from what people do with it there.
    """

    id: str
    rank: int
    score: float
    team: str = ""
    propensity: float = 1.0
    own_ranks: tuple[int, ...] = ()
    forced: bool = False


@dataclass(frozen=True, slots=True)
class ChosenList:
    """A list from which somebody chose.

    Attributes:
        ranks: The rank of each document that it showed by id, 1 on top, without what rules put there by force.
        chosen: What each document that was chosen counts, above 0, by id; some of `ranks`.
    """

    query_id: str
    at: datetime
    ranks: Mapping[str, int]
    chosen: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Impression:
    """One answered search: what was shown, to whom, by which version.

    Attributes:
        unit: Whose lists are capped together: the user id, else the session id, else the query id.
        experiment: Id of the experiment this answer belongs to, or "".
        version: `EXTERNAL` where another engine ranked.
        arm: Name of the experiment's arm, "interleaved" where all rank; outside experiments "champion", or the arm that
            a tester asked for.
        surface: Where it was shown: "page" to a person, "context" to a chatbot, "agent" to an agent.
        drawn_by: The randomization unit that the experiment counts; in older lists "" where that is `unit`.
        run: Which start of the experiment it was, from 1; 0 outside experiments and in older lists.
        plan_hash: Hash of the plan that it was assigned by, "" outside experiments.
        first_difference: First rank at which the arms' own lists differ, 0 where they are equal or were not compared.
        had_evidence: Whether its query had live evidence when it was ranked.
        known: Whether the search named its user.
        took_ms: Milliseconds from the request to the ranked list, 0 where nobody measured.
    """

    collection: str
    query_id: str
    query: str
    unit: str
    version: str
    results: tuple[ShownResult, ...]
    at: datetime
    experiment: str = ""
    arm: str = "champion"
    surface: str = "page"
    drawn_by: str = ""
    run: int = 0
    plan_hash: str = ""
    first_difference: int = 0
    had_evidence: bool = False
    known: bool = False
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """One thing a user did with an answer.

    Attributes:
        id: The client's id of the event; a repeated id counts once.
        document_id: The result concerned, "" for events about the whole list.
        value: Stars 1-5 of a rating, seconds of a dwell, worth of a conversion, what a custom event is worth, else 0.
        at: When it happened, as the client says.
        source: The intake it came by, with the application's name where there is one; "" for clickloop's own.
        position: Rank of the document as the client says, from 1 if it counts as it should; None if it says nothing.
        distrusted: Why it is kept but does not count: "unsigned" if its answer was not served here, "crawler" if its
            sender says that it is one; "" when it counts.
        name: What the app calls a custom event, "" of other types.
    """

    collection: str
    id: str
    type: EventType
    query_id: str
    document_id: str
    user: str
    value: float
    at: datetime
    received_at: datetime
    source: str = ""
    position: int | None = None
    distrusted: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What users did with one document under one query, already capped per user.

    Attributes:
        shown: Counted lists that showed the document to somebody known to have looked, by rank (index 0 is
            rank 1).
        clicked: How many of those lists it was clicked in, by rank.
        users: How many speak for it by a click or satisfaction: distinct user-weeks, and half a person for all
            searches without user and session together.
        satisfied: Counted lists whose user was satisfied with it (rating of 4 or 5, conversion,
            resolution or a long dwell after its click).
        dissatisfied: Counted lists whose user was not (rating of 1 or 2, quick return).
    """

    query_key: str
    document_id: str
    shown: tuple[float, ...]
    clicked: tuple[float, ...]
    users: float = 0
    satisfied: float = 0.0
    dissatisfied: float = 0.0

    @property
    def tells(self) -> bool:
        """Whether anybody looked at the document or said anything of it."""
        return any(self.shown) or bool(self.satisfied or self.dissatisfied)


@dataclass(frozen=True, slots=True)
class ClickCurve:
    """Click probability by rank of a relevant and of another document.

    The affine click model with position and trust bias (Vardasbi et al. 2020, arXiv:2008.10242) in
    its observable form: P(click | rank k, relevant) and P(click | rank k, not relevant).

    Attributes:
        relevant: Probabilities by rank, index 0 is rank 1; the last serves deeper ranks.
        other: The same for documents that are not relevant; below `relevant` at each rank.
    """

    relevant: tuple[float, ...]
    other: tuple[float, ...]

    def log_odds(self, shown: tuple[float, ...], clicked: tuple[float, ...]) -> float:
        """Return the log likelihood ratio, relevant against not, of clicks and skips by rank."""
        total = 0.0
        for rank, (seen, hit) in enumerate(zip(shown, clicked, strict=True)):
            if seen:
                high = self.relevant[min(rank, len(self.relevant) - 1)]
                low = self.other[min(rank, len(self.other) - 1)]
                total += hit * math.log(high / low) + (seen - hit) * math.log((1 - high) / (1 - low))
        return total


PRIOR_CURVE = ClickCurve(
    relevant=tuple(0.85 * rank**-0.75 for rank in range(1, CURVE_RANKS + 1)),
    other=tuple((0.1 + 0.1 / rank) * rank**-0.75 for rank in range(1, CURVE_RANKS + 1)),
)
"""The curve assumed before a collection has clicks of its own; deliberately gentle."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a query's evidence says of one document.

    Attributes:
        relevance: Posterior probability of relevance, in [0, 1].
        weight: How much the judgment should count in training, at least 0.
    """

    query_key: str
    document_id: str
    relevance: float
    weight: float

    @property
    def uncertainty(self) -> float:
        """The posterior's standard deviation, in [0, 0.5]: a document is relevant or not, so it is largest at 0.5."""
        return math.sqrt(self.relevance * (1 - self.relevance))


class Labeller(Protocol):
    """Turns evidence into labels; the composition root hands the collector's to the retrainer."""

    def __call__(
        self, evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        """Return labels for every query of `evidence`, and the click curve they rest on.

        Args:
            evidence: Rows in any order.
            prior: For each query key, the model's out-of-fold probability of relevance for its
                candidate documents, shown or not; sums to at most 1 per query. Documents absent
                from it share what is missing.
            curve: The curve to use; fitted by expectation maximisation when None.
        """


@dataclass(frozen=True, slots=True)
class Manifest:
    """One immutable version of everything that ranks, loaded and swapped as a whole.

    Every field but the settings is the digest of a content-addressed artifact, "" for none.

    Attributes:
        encoder: Digest of the encoder's weights; vectors of other encoders do not mix with it.
        adapter: Query adapter: maps a query vector into the documents' space.
        residuals: Small shifts of the vectors of documents with evidence.
        memory: Past queries and what their users chose.
        tower: Static tower: a vector for each word piece, learned as a whole.
        fusion: "convex", "rrf" or "linear".
        weights: Weights of the linear fusion by feature name.
        curve: Click curve by which a query's own live evidence is read.
        encoder_form: The encoder's exported form, for processes without torch. The name of the encoder says all
            that a version's id has to, so the form is no part of it: exports of two machines may differ.
        encoder_source: The weights that the form was made of, as a packed folder, where it is no encoder of the
            settings; to export the version by. No part of its id either.
        encoder_bridge: A map into its space from that of the champion's encoder before; by it the version serves before
            all documents are embedded anew. No part of its id either.
    """

    encoder: str
    adapter: str = ""
    residuals: str = ""
    memory: str = ""
    reranker: str = ""
    fusion: Literal["convex", "rrf", "linear"] = "convex"
    weights: dict[str, float] = field(default_factory=dict)
    curve: ClickCurve = PRIOR_CURVE
    encoder_form: str = field(default="", compare=False)
    encoder_source: str = field(default="", compare=False)
    encoder_bridge: str = field(default="", compare=False)
    tower: str = ""

    @property
    def id(self) -> str:
        """The version's name: "v-" and the first 16 digits of the manifest's digest."""
        identity = self.to_json()
        del identity["encoder_form"], identity["encoder_source"], identity["encoder_bridge"]
        if not self.tower:
            del identity["tower"]  # as versions were named before there were towers
        return "v-" + digest_json(identity)[:16]

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        return asdict(self) | {"curve": {"relevant": list(self.curve.relevant), "other": list(self.curve.other)}}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """Return the manifest that `to_json` wrote."""
        curve = ClickCurve(relevant=tuple(value["curve"]["relevant"]), other=tuple(value["curve"]["other"]))
        return cls(**{**value, "curve": curve})
