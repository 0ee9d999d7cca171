"""`selfright backup`: what can be brought back, and a copy of a table proven against its source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cli.backup_code import code
from cli.backup_list import list_
from cli.backup_status import status
from cli.place import AsJson

if TYPE_CHECKING:
    from rich.progress import Progress

    from selfright.domain.digest import Comparison

out = Console(soft_wrap=True, highlight=False)
EXIT_CODES = {"equal": 0, "empty": 0, "different": 1, "unusable": 2}
LISTED = 20  # differences printed for people; --json has them all

app = typer.Typer(no_args_is_help=True)
app.command()(status)

Folder = Annotated[Path, typer.Argument(help="Folder with AWSDynamoDB/<id>, a full export in DynamoDB JSON.")]


@app.callback()
def backup() -> None:
    """What can be brought back, and whether it is good."""


app.command("list")(list_)
app.command()(code)


@app.command()
def compare(
    export_a: Folder,
    export_b: Folder,
    key: Annotated[
        list[str], typer.Option(help="Name of the table's partition key; again for its sort key.")
    ],
    as_json: AsJson = False,
) -> None:
    """Compare export A (the source) with export B (the copy): exit 0 equal, 1 different, 2 not usable."""
    from selfright.domain.digest import DamagedPartError, MalformedLineError
    from selfright.domain.errors import BadInputError

    gone = (OSError, DamagedPartError, MalformedLineError)  # a file went away or changed while it was read
    try:
        found = _compare(export_a, export_b, key)
    except (BadInputError, *gone) as error:
        if as_json:
            problem = {"kind": "bad_input", "what": str(error)}
            out.print_json(
                data={"verdict": "unusable", "counts": {}, "differences": [], "problems": [problem]}
            )
        else:
            typer.echo(f"selfright: {error}", err=True)
        raise typer.Exit(EXIT_CODES["unusable"]) from None
    if as_json:
        out.print_json(data=_document(found))
    else:
        _print(found)
    raise typer.Exit(EXIT_CODES[found.verdict])


def _compare(source_folder: Path, copy_folder: Path, key: list[str]) -> Comparison:
    from selfright.adapters.export_folder import ExportFolder
    from selfright.domain import digest

    with _progress() as progress:
        bar = progress.add_task("raw")

        def advance(read: int) -> None:
            progress.advance(bar, read)

        def enter(step: str) -> None:
            progress.reset(bar, description=step, total=source.size + copy.size)

        source, copy = ExportFolder(source_folder, advance), ExportFolder(copy_folder, advance)
        return digest.compare(source, copy, key, enter=enter)


def _progress() -> Progress:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    return Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    )


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "counts": {
            "source": found.source_items,
            "copy": found.copy_items,
            "differences": len(found.differences),
            "exempted": found.exempted,
            "buckets_reread": found.buckets_reread,
        },
        "differences": [{"key": one.key, "kind": one.kind} for one in found.differences],
        "all_located": found.all_located,
        "problems": [
            {"export": side, "kind": one.kind, "where": one.where, "what": one.what}
            for side, one in found.problems
        ],
    }


def _print(found: Comparison) -> None:
    colour = {"equal": "green", "empty": "yellow"}.get(found.verdict, "red")
    out.print(f"[{colour}]{found.verdict}[/]  source {found.source_items} items, copy {found.copy_items}")
    if found.verdict == "empty":
        out.print("neither export holds an item: that proves nothing of a table that should")
    for side, problem in found.problems:
        out.print(f"  {problem.kind}  {side} {escape(problem.where)} {escape(problem.what)}")
    for one in found.differences[:LISTED]:
        key = ", ".join(f"{name} {value}" for name, typed in one.key.items() for value in typed.values())
        out.print(f"  {one.kind:8} {escape(key)}")
    if len(found.differences) > LISTED or not found.all_located:
        more = "more than " if not found.all_located else ""
        out.print(f"  ... {more}{len(found.differences)} in all; --json lists them")
