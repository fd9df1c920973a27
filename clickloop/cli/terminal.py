"""What the commands share: their common options, and how they speak to people and programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

out = Console()
err = Console(stderr=True)

Url = Annotated[str, typer.Option(envvar="CLICKLOOP_URL", help="Address of the running service.")]
CollectionName = Annotated[str, typer.Option("--collection", help="The collection concerned.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Encoding = Annotated[str, typer.Option(help="Encoding of CSV files, such as latin-1; UTF-8 by default.")]
Delimiter = Annotated[
    str, typer.Option(help="What separates cells of CSV, such as ';' or tab; read off the file else.")
]
DEFAULT_URL = "http://127.0.0.1:8080"


def show(value: Any, as_json: bool, words: RenderableType | None = None) -> None:
    """Print a value: as JSON for programs, or in words for people."""
    if as_json:
        print_json(value)
    elif words is None:
        out.print(value)
    else:
        out.print(words, highlight=False)


def show_fields(value: Mapping[str, Any]) -> None:
    """Print what an object holds for people, one field a line, numbers by name and lists in a row."""
    width = max(map(len, value))
    for name, one in value.items():
        typer.echo(f"{name:<{width}}  {_in_words(one)}")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{name} {one}" for name, one in value.items()]
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
