import threading

import pytest

from simulator.tally import Counting, Experience, Tally


def test_it_counts_and_reports_every_change() -> None:
    seen: list[Tally] = []
    counting = Counting({"q": {"a": 1}}, 10, lambda: 7, seen.append)

    counting.searched("q", ["a"], "v-1", "champion")
    counting.reported(events=3, clicks=2, refused=1)
    counting.add("failed")

    final = seen[-1]
    assert (final.searches, final.clicks, final.events_sent) == (1, 2, 3)
    assert (final.refused, final.failed, final.retried) == (1, 1, 7)
    assert (final.versions, final.arms) == ({"v-1": 1}, {"champion": 1})
    assert len(seen) == 3


def test_quality_over_time_is_the_mean_of_each_window() -> None:
    counting = Counting({"q": {"a": 1}}, 2, int, lambda _: None)

    for shown in (["x"], ["a"], ["a"], ["a"], ["x"]):
        counting.searched("q", shown, "", "")

    assert counting.read().ndcg == ((2, 0.5), (4, 1.0))
    assert counting.close().ndcg == ((2, 0.5), (4, 1.0), (5, 0.0))


def test_no_count_is_lost_between_threads() -> None:
    counting = Counting({"q": {"a": 1}}, 50, int, lambda _: None)

    def work() -> None:
        for _ in range(100):
            counting.searched("q", ["a"], "v", "champion")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    tally = counting.close()
    assert tally.searches == 400
    assert [searches for searches, _ in tally.ndcg] == list(range(50, 401, 50))
    assert [quality for _, quality in tally.ndcg] == pytest.approx([1.0] * 8)


def test_what_users_did_with_each_version_is_told_apart() -> None:
    counting = Counting({}, 10, int, lambda _: None)

    counting.experienced("v-1", Experience(searches=1, clicked=1, ratings=1, stars=2))
    counting.experienced("v-1", Experience(searches=1))
    counting.experienced("v-2", Experience(searches=1, clicked=1, ratings=2, stars=9))

    told = counting.read().experiences
    assert (told["v-1"].click_rate, told["v-1"].csat) == (0.5, 2.0)
    assert (told["v-2"].click_rate, told["v-2"].csat) == (1.0, 4.5)
    assert Experience().csat == 0.0
