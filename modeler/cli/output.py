"""Data on stdout or into a file, in the format asked for; talk on stderr.

Nothing here imports pandas unless Parquet is asked for, nor rich unless a terminal is looking.
"""

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from modeler.plain import Row, flatten, json_lines, to_csv, to_json, to_plain

Columns = Sequence[str] | Mapping[str, str]


class OutputError(Exception):
    """The place to write to is not writable, or does not suit the format."""

    exit_code: Final = 2


def talk(message: str) -> None:
    """Say something to a person: on stderr, so that stdout stays data."""
    click.echo(message, err=True)


def emit(
    data: Any,
    *,
    format: str = "table",
    output: str | os.PathLike[str] | None = None,
    table: Iterable[Row] | None = None,
    columns: Columns | None = None,
) -> None:
    """Print or save a result.

    Parameters
    ----------
    data : mapping, sequence of mappings, dataclass, or object with ``to_dict``. What JSON shows.
    format : str. ``table``, ``json``, ``csv`` or ``parquet``.
    output : path, optional. File to write in one step; None or ``-`` is stdout.
    table : iterable of mappings, optional. Rows for the other formats; by default `data` itself,
        one row for a mapping.
    columns : sequence of str, or mapping of str to str, optional. Dotted keys to show in a table,
        with their headings when a mapping; every key by default. CSV and Parquet hold every key.

    Raises
    ------
    OutputError
        The file cannot be written, or Parquet was asked for without pyarrow or on a terminal.
    """
    if format == "json":
        deliver(json_lines(data) if isinstance(data, Mapping) else to_json(to_plain(data)), output)
        return
    plain = to_plain(data) if table is None else None
    rows = [flatten(to_plain(row)) for row in table] if table is not None else _rows_of(plain)
    if format == "csv":
        deliver(to_csv(rows), output)
    elif format == "parquet":
        deliver(to_parquet(rows), output)
    elif format == "table":
        shown = _select(rows, columns)
        if output in (None, "-") and sys.stdout.isatty():
            _print_rich(shown)
        else:
            deliver(to_text(shown), output)
    else:
        raise OutputError(f"unknown format {format!r}: expected table, json, csv or parquet")


def to_text(rows: Sequence[Row]) -> str:
    """Aligned columns without colour; a single row stands upright, one line a key."""
    if not rows:
        return "(no rows)\n"
    if len(rows) == 1:
        width = max(len(name) for name in rows[0])
        return "".join(f"{name:<{width}}  {_cell(value)}\n" for name, value in rows[0].items())
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    right = [_is_number_column(rows, name) for name in names]
    widths = [max(len(line[i]) for line in [names, *cells]) for i in range(len(names))]
    lines = []
    for line in [names, *cells]:
        padded = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)


def check_output(output: str | os.PathLike[str] | None) -> None:
    """Refuse a file that could not be written, before the work instead of after it.

    Raises
    ------
    OutputError
        Naming the path and what is wrong with it.
    """
    if output is None or output == "-":
        return
    path = Path(output)
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder")
    if not _is_device(path):
        _check_folder(path.parent, path)


def write_atomic(path: str | os.PathLike[str], content: str | bytes | Iterable[str]) -> None:
    """Write a whole file or none of it: beside the place, then moved onto it.

    Parameters
    ----------
    path : path. The file to replace or create; its folder must exist.
    content : str, bytes or iterable of str. Text is written as UTF-8, in pieces where it comes so.

    Raises
    ------
    OutputError
        The file cannot be written; what stood there before still stands.
    """
    target = Path(path).resolve()  # through a link, so that the link stays one
    check_output(target)
    pieces = _pieces(content)
    if _is_device(target):
        with target.open("wb") as file:
            file.writelines(pieces)
        return
    scratch: str | None = None
    try:
        handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        # mkstemp makes private files; a result should have the mode any other new file has.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)
        os.replace(scratch, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)


def _pieces(content: str | bytes | Iterable[str]) -> Iterable[bytes]:
    if isinstance(content, bytes):
        return (content,)
    return (content.encode(),) if isinstance(content, str) else (one.encode() for one in content)


def _is_device(path: Path) -> bool:
    """``/dev/null``, a pipe: something to write into, never to replace by a file."""
    return path.exists() and not path.is_file()


def _check_folder(folder: Path, asked_for: Path) -> None:
    if not folder.exists():
        raise OutputError(f"cannot write {asked_for}: the folder {folder} does not exist")
    if not folder.is_dir():
        raise OutputError(f"cannot write {asked_for}: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {asked_for}: the folder {folder} is not writable")


def _rows_of(plain: Any) -> list[dict[str, Any]]:
    return [flatten(row) for row in (plain if isinstance(plain, list) else [plain])]


def _select(rows: Sequence[Row], columns: Columns | None) -> list[dict[str, Any]]:
    """Every row with the same keys: those asked for, under their headings."""
    if columns is None:
        names: dict[str, str] = {name: name for row in rows for name in row}
    else:
        names = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
    return [{head: row.get(name) for name, head in names.items()} for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{int(value):,}"
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4g}"
    return str(value)


def _is_number_column(rows: Sequence[Row], name: str) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _print_rich(rows: Sequence[Row]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    if len(rows) < 2:
        click.echo(to_text(rows), nl=False)
        return
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="right" if _is_number_column(rows, name) else "left")
    for row in rows:
        # Text in the data is data: "[p95]" is not markup.
        table.add_row(*(_cell(value).replace("[", r"\[") for value in row.values()))
    _to_stdout(lambda: Console().print(table))


def to_parquet(rows: Sequence[Row]) -> bytes:
    """Parquet bytes of flat rows.

    Raises
    ------
    OutputError
        Without pyarrow.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise OutputError(
            "format parquet needs pyarrow: pip install 'coldstart-modeler[parquet]'"
        ) from error
    import pandas as pd

    buffer = io.BytesIO()
    pd.DataFrame.from_records(list(rows)).to_parquet(buffer, index=False)
    return buffer.getvalue()


def deliver(content: str | bytes | Iterable[str], output: str | os.PathLike[str] | None) -> None:
    """Deliver finished content: into a file in one step, or on stdout."""
    if output is not None and output != "-":
        write_atomic(output, content)
        return
    if not isinstance(content, bytes):
        text = (content,) if isinstance(content, str) else content

        def write() -> None:
            for piece in text:
                click.echo(piece, nl=False)

        _to_stdout(write)
        return
    if sys.stdout.isatty():
        raise OutputError("format parquet is binary: give a file with -o FILE, or a pipe")
    _to_stdout(lambda: click.echo(content, nl=False))


def _to_stdout(write: Callable[[], None]) -> None:
    """Write; a reader that went away (``| head``) has seen enough and is no error."""
    try:
        write()
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit, which would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell_old_prices(prices: Iterable[Mapping[str, Any]]) -> None:
    """Warn of each price that is old today; to stderr, for what is printed knows no clock."""
    from datetime import date

    from pricing.tables import age_warning

    told = (
        age_warning(one["instance_type"], one["region"], one["as_of"], date.today())
        for one in prices
    )
    for said in dict.fromkeys(filter(None, told)):
        talk(f"warning: {said}")
