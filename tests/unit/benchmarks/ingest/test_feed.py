"""Events of a feed differ in their ids and are about lists that were shown."""

from __future__ import annotations

from benchmarks.ingest.feed import Feed
from collector.intake.schemas import metarank, native
from collector.intake.schemas.parsed import Taken
from foundation.clock import FrozenClock


def test_what_a_feed_makes_is_taken_by_the_intakes_and_nothing_comes_twice(clock: FrozenClock) -> None:
    feed = Feed(0, clock)
    shown = feed.rankings(20)
    clicks, mixed = feed.interactions(50), feed.events(50)

    assert all(isinstance(native.parse(one, "default", clock.now()), Taken) for one in mixed)
    assert not any(isinstance(metarank.parse(one, "default", clock.now()), list) for one in [*shown, *clicks])
    assert len({one["id"] for one in [*shown, *clicks, *mixed]}) == 120
    assert {one["query_id"] for one in mixed} <= {one["id"] for one in shown}
