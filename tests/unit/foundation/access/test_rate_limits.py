from __future__ import annotations

from foundation.access.rate_limits import Buckets


class Watch:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    watch = Watch()
    buckets = Buckets(2.0, 4.0, watch)

    assert [buckets.take("a", 1) for _ in range(5)] == [0, 0, 0, 0, 1]
    watch.now_s += 1.0
    assert [buckets.take("a", 1) for _ in range(3)] == [0, 0, 1]


def test_a_batch_larger_than_the_burst_passes_and_leaves_a_debt() -> None:
    watch = Watch()
    buckets = Buckets(10.0, 10.0, watch)

    assert buckets.take("a", 110) == 0
    assert buckets.take("a", 1) == 11
    watch.now_s += 10.5
    assert buckets.take("a", 1) == 0


def test_names_do_not_share_a_bucket() -> None:
    buckets = Buckets(1.0, 1.0, Watch())

    assert (buckets.take("a", 1), buckets.take("b", 1), buckets.take("a", 1)) == (0, 0, 1)


def test_a_refused_wish_costs_nothing() -> None:
    watch = Watch()
    buckets = Buckets(1.0, 1.0, watch)
    buckets.take("a", 1)
    for _ in range(100):
        assert buckets.take("a", 5) == 1
    watch.now_s += 1.0

    assert buckets.take("a", 1) == 0


def test_without_a_rate_nothing_is_limited() -> None:
    buckets = Buckets(0.0, 0.0, Watch())

    assert {buckets.take("a", 1e9) for _ in range(10)} == {0}


def test_over_time_nobody_gets_more_than_the_rate() -> None:
    watch = Watch()
    buckets = Buckets(5.0, 5.0, watch)
    given = 0
    for _ in range(1000):
        watch.now_s += 0.1
        given += 7 if buckets.take("a", 7) == 0 else 0

    assert given <= 5 + 100 * 5 + 7
