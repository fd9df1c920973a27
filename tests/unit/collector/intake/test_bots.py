from __future__ import annotations

import random
from dataclasses import replace

import pytest

from collector.intake.bots import HOLD_AT, MIN_USERS, Activity, is_crawler, judge, reasons_against, score, usual_of


def person(chance: random.Random) -> Activity:
    """Return what somebody does in a day: some searches, a click in half of them, some of them read."""
    lists = 1 + int(chance.lognormvariate(1.5, 0.8))
    clicked = sum(chance.random() < 0.5 for _ in range(lists))
    queries = min(clicked, 1 + int(clicked * 0.7))
    read = sum(chance.random() < 0.6 for _ in range(clicked))
    gaps_s = tuple(chance.lognormvariate(4.0, 1.6) for _ in range(max(clicked - 1, 0)))
    return Activity(lists, clicked, clicked, queries, queries, read, gaps_s)


def people(count: int = 400, seed: int = 1) -> dict[str, Activity]:
    chance = random.Random(seed)
    return {f"u{number}": person(chance) for number in range(count)}


BOT = Activity(3000, 3000, 3000, 200, 400, 0, (2.0,) * 2999)


@pytest.mark.parametrize("seed", range(20))
def test_no_person_is_implausible(seed: int) -> None:
    assert judge(people(seed=seed)) == {}


@pytest.mark.parametrize("seed", range(5))
def test_a_flood_is_implausible_and_the_reasons_say_why(seed: int) -> None:
    found = judge(people(seed=seed) | {f"bot{number}": BOT for number in range(4)})

    assert sorted(found) == ["bot0", "bot1", "bot2", "bot3"]
    assert {reason.mark for reason in found["bot0"]} >= {"rate", "breadth", "no dwell", "click share"}
    assert "3000 clicks, where" in found["bot0"][0].words


def test_a_busy_person_who_reads_is_not_implausible() -> None:
    chance = random.Random(2)
    gaps_s = tuple(chance.lognormvariate(3.5, 1.6) for _ in range(299))
    busy = Activity(600, 300, 300, 200, 220, 180, gaps_s)

    assert "busy" not in judge(people() | {"busy": busy})


def test_who_reaches_one_document_by_every_query_has_an_aim() -> None:
    careful = replace(BOT, lists=3300, queries=25, documents=1, read=2000, gaps_s=())

    assert [reason.mark for reason in judge(people() | {"bot": careful})["bot"]] == ["rate", "aim"]


def test_counts_alone_hold_only_beyond_every_person() -> None:
    usual = usual_of(people().values())
    assert usual is not None
    human = replace(BOT, lists=6000, read=1800, gaps_s=())

    assert [reason.mark for reason in reasons_against(human, usual)] == ["rate", "breadth"]
    assert score(reasons_against(human, usual)) < HOLD_AT


def test_a_pace_that_nobody_keeps_up_is_enough_however_human_the_rest() -> None:
    chance = random.Random(3)
    gaps_s = tuple(chance.lognormvariate(2.5, 1.2) for _ in range(1500))
    tireless = Activity(3000, 1501, 1501, 800, 900, 1000, gaps_s)
    unhurried = replace(tireless, gaps_s=tuple(10 * gap_s for gap_s in gaps_s))

    assert "endless" in {reason.mark for reason in judge(people() | {"bot": tireless})["bot"]}
    assert "busy" not in judge(people() | {"busy": unhurried})


def test_a_user_with_few_clicks_is_not_judged() -> None:
    usual = usual_of(people().values())
    assert usual is not None

    assert reasons_against(replace(BOT, clicks=19), usual) == ()


def test_without_enough_users_nothing_is_usual() -> None:
    some = {f"u{number}": Activity(2, 1, 1, 1, 1, 1) for number in range(MIN_USERS - 2)}

    assert judge(some | {"bot": BOT}) == {}


def test_where_nobody_reports_reading_its_absence_says_nothing() -> None:
    silent = {user: replace(one, read=0) for user, one in people().items()}
    usual = usual_of(silent.values())
    assert usual is not None

    assert "no dwell" not in {reason.mark for reason in reasons_against(BOT, usual)}


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
    ],
)
def test_crawlers_say_that_they_are(user_agent: str) -> None:
    assert is_crawler(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "python-httpx/0.28.1",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 12; CUBOT X50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36",
    ],
)
def test_browsers_and_apps_are_no_crawlers(user_agent: str) -> None:
    assert not is_crawler(user_agent)
