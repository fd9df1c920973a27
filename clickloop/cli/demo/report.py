"""What the demo tells a person at its end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from rich.console import Console
from rich.table import Table

from clickloop.cli.demo.demo import Story
from foundation.statistics import bootstrap_interval
from simulator.collection import JudgedCollection

_SIDE_BY_SIDE = 5


def print_report(console: Console, story: Story, collection: JudgedCollection, url: str, seed: int) -> None:
    """Print the report of a demo."""
    console.rule("[bold]What the clicks taught[/bold]")
    console.print(
        f"{story.documents} pages of the {story.source}; {story.searches} searches and {story.clicks} clicks of "
        f"simulated users over HTTP, {story.clock_days:.0f} days on the accelerated clock, "
        f"{story.seconds / 60:.1f} minutes on yours.\n"
    )
    _print_quality(console, story, seed)
    _print_experiences(console, story)
    _print_runs(console, story)
    _print_swap(console, story)
    _print_next(console, url, story, collection)
    console.rule("[bold]In a sentence[/bold]")
    _print_verdict(console, story)
    _print_lists(console, story, collection, seed)


def _print_quality(console: Console, story: Story, seed: int) -> None:
    before = np.array([story.before[query] for query in sorted(story.before)])
    after = np.array([story.after[query] for query in sorted(story.before)])
    low, high = bootstrap_interval(after - before, confidence=0.95, seed=seed)
    console.print(
        f"[bold]Queries that nobody ever clicked[/bold] ({len(before)} of them): nDCG@10 "
        f"{before.mean():.4f} before, [bold]{after.mean():.4f}[/bold] after: "
        f"[bold]{(after - before).mean():+.4f}[/bold] (95% interval {low:+.4f} to {high:+.4f}); "
        f"better for {(after > before + 0.01).mean():.0%} of them, worse for {(after < before - 0.01).mean():.0%}.\n"
    )


def _print_experiences(console: Console, story: Story) -> None:
    promoted = [run["version"] for run in story.runs if run["state"] == "promoted"]
    first = next(iter(story.experiences), "")
    told = [("Under the first ranking", first), *(("Under the new one", version) for version in promoted[:1])]
    for under, version in told:
        if felt := story.experiences.get(version):
            console.print(
                f"{under} users clicked in {felt.click_rate:.0%} of {felt.searches} searches and gave "
                f"{felt.csat:.2f} of 5 stars ({felt.ratings} ratings)."
            )
    console.print()


def _print_lists(console: Console, story: Story, collection: JudgedCollection, seed: int) -> None:
    titles = {str(document["id"]): str(document["title"]) for document in collection.documents}
    judged = collection.judgments
    changed = sorted(
        query for query, before in story.lists_before.items() if before[:3] != story.lists_after[query][:3]
    )
    chosen = np.random.default_rng(seed).choice(changed, min(_SIDE_BY_SIDE, len(changed)), replace=False).tolist()
    table = Table("query", "before", "after", title=f"{len(chosen)} held-out queries, drawn at random", show_lines=True)
    for query in chosen:
        right = judged[query]
        table.add_row(
            collection.queries[query],
            _top(story.lists_before[query], titles, right),
            _top(story.lists_after[query], titles, right),
        )
    console.print(table)
    console.print("[green]✓[/green] marks the page that the help's authors filed under these words.\n")


def _top(ids: list[str], titles: Mapping[str, str], right: Mapping[str, int]) -> str:
    return "\n".join(
        f"{rank} {'[green]✓[/green] ' if name in right else ''}{titles.get(name, name)[:38]}"
        for rank, name in enumerate(ids[:3], start=1)
    )


def _print_runs(console: Console, story: Story) -> None:
    table = Table("training run", "ended", "what the gate and the experiment said", title="Candidates", show_lines=True)
    for run in reversed(story.runs):
        words = [f"gate: {run['report'].get('gate', run['report'].get('end', ''))}"]
        if "verdict" in run["report"]:
            words.append(f"experiment: {run['report']['verdict']}: {run['report']['why']}")
        table.add_row(run["version"] or run["id"][:8], run["state"], "\n".join(words))
    console.print(table)
    for card in story.experiments:
        console.print(
            f"Experiment {card['experiment']['plan']['kind']}: {card['searches']} searches in {card['days']:.1f} days, "
            f"verdict {card['verdict']['decision']}: {card['verdict']['reason']}"
        )


def _print_verdict(console: Console, story: Story) -> None:
    for card in story.experiments:
        console.print(f"[bold]{card['sentence']}[/bold]\n")
    if not story.experiments:
        console.print("[bold]No candidate came to an experiment; the first ranking stays.[/bold]\n")


def _print_swap(console: Console, story: Story) -> None:
    if story.swap is None:
        console.print("\n[yellow]No candidate was promoted, so nothing was swapped.[/yellow]")
        return
    console.print(
        f"\nAround the swap: [bold]{story.swap.served}[/bold] searches served, "
        f"[bold]{story.swap.failed}[/bold] failed, {story.swap.retried} tried again."
    )


def _print_next(console: Console, url: str, story: Story, collection: JudgedCollection) -> None:
    text = collection.queries[next(iter(story.before))].replace('"', "").replace("'", "")
    send = "-H 'Content-Type: application/json' -d"
    search = f"""curl -s {url}/v1/search {send} '{{"query": "{text}", "limit": 3}}'"""
    console.rule("[bold]Now yours[/bold]")
    commands = [search, f"curl -s {url}/v1/versions"]
    promoted = [run["version"] for run in story.runs if run["state"] == "promoted"]
    if promoted:  # the newest run first
        commands.append(f"""curl -s {url}/v1/versions/rollback {send} '{{"from": "{promoted[0]}"}}'""")
    console.print(
        f"The service is at {url}, its console at {url}/console, until the demo ends; with --no-wait that is now. Try:"
    )
    for command in commands:
        console.print(f"\n  {command}", soft_wrap=True, markup=False, highlight=False)
