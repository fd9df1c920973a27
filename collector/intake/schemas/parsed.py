"""What a schema makes of one entry of a request: content, or everything that is wrong with it.

Each schema is a function of any JSON value, the collection that the request belongs to, and the moment of
receipt in UTC. It raises nothing, whatever the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import FieldFault

Content = tuple[Impression | FeedbackEvent, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one valid value amounts to.

    Attributes:
        content: What goes to the log.
        items: Properties of documents by document id, for the catalog.
        ignored: Why nothing can be learned from it, "" when something can.
    """

    content: Content = ()
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ignored: str = ""


Parsed = Taken | list[FieldFault]
