"""The command that ranks past queries by another version."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from clickloop.cli.terminal import AsJson, CollectionName, err, out, print_json
from foundation.settings import Settings

if TYPE_CHECKING:
    from retrainer.gate.off_policy import OffPolicyEstimate
    from retrainer.whatif.changes import WhatIf

app = typer.Typer()


@app.command("whatif")
def whatif(
    version: Annotated[str, typer.Argument(help="Id or name of the version.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the queries, in UTC.")],
    against: Annotated[str, typer.Option(help="The version to compare with; the champion without.")] = "",
    queries: Annotated[int, typer.Option(min=1, max=10_000, help="Most queries, those asked most.")] = 500,
    collection: CollectionName = "default",
    as_json: AsJson = False,
) -> None:
    """Rank the queries of past days by a version: how much changes, where most, what interleaved clicks say of it."""
    from clickloop.container import Container
    from clickloop.whatif import find_versions, what_if

    container = Container(Settings())
    pair = find_versions(container, collection, against, version)
    with err.status("ranking past queries") as status:
        found, estimate = what_if(
            container, collection, pair, since.replace(tzinfo=UTC), limit=queries, progress=status.update
        )
    if as_json:
        print_json(asdict(found) | {"off_policy": asdict(estimate) | {"says": estimate.says}})
    else:
        print_changes(out, found, estimate)


def print_changes(console: Console, found: WhatIf, estimate: OffPolicyEstimate) -> None:
    """Print what would have changed, for people."""
    console.print(
        f"{found.asked} queries, asked {found.searches} times: {found.unchanged:.0%} of the searches get the same "
        f"results, {found.same_first:.0%} the same first one; {found.overlap:.0%} of the results are kept, and "
        f"{found.moved:.0%} of the attention moves to other documents."
    )
    console.print(_tell(estimate))
    queries = Table("query", "searches", "moved", "today", "then", title="Largest changes", show_lines=True)
    for one in found.queries:
        tops = ("\n".join(ids[:3]) for ids in (one.before, one.after))
        queries.add_row(one.query, str(one.searches), f"{one.moved:.0%}", *tops)
    documents = Table("document", "today", "then", title="Share of all attention")
    for document in found.documents:
        documents.add_row(document.document_id, f"{document.before:.2%}", f"{document.after:.2%}")
    for table in (queries, documents):
        if table.row_count:
            console.print(table, highlight=False)


def _tell(estimate: OffPolicyEstimate) -> str:
    if not estimate.says:
        return (
            f"Clicks say nothing of it: of the difference {estimate.coverage:.0%} could have been seen in "
            f"{estimate.lists} interleaved lists."
        )
    return (
        f"By {estimate.lists} interleaved lists it would have brought {estimate.change:+.3f} clicks a search, 95% "
        f"{estimate.low:+.3f} to {estimate.high:+.3f}; {estimate.coverage:.0%} of the difference could have been seen."
    )
