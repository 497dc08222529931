"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere; on stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from modeler._cache import compiles
from modeler._interrupt import loading

if TYPE_CHECKING:
    from modeler.study import Status

_EVERY_S = 5.0  # between plain lines: a log should not fill with them
_COMPILING_AFTER_S = 5.0  # an import that finds everything compiled takes about a second


@contextmanager
def compiling() -> Iterator[None]:
    """Say why nothing happens, should importing the engine take long: it may mean compiling it."""
    note = threading.Timer(_COMPILING_AFTER_S, _why, [time.time()])
    note.daemon = True
    note.start()
    try:
        with loading():
            yield
    finally:
        note.cancel()


def _why(since_s: float) -> None:
    once = "compiling the engine, once (about 1 min)"
    click.echo(once if compiles(since_s) else "loading the engine", err=True)


class Lines:
    """Plain lines with count, rate and time left."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def __call__(self, status: Status) -> None:
        """Say how far the work is, if the last line is a while ago."""
        now = time.monotonic()
        if now - self._last < _EVERY_S:
            return
        self._last = now
        rate = status.requests / (now - self._start)
        left = (status.requests_total - status.requests) / rate if rate > 0.0 else 0.0
        click.echo(
            f"{status.scenarios}/{status.scenarios_total} scenarios, "
            f"{rate / 1e6:.1f} M requests/s, about {left:.0f} s left",
            err=True,
        )


class Bar:
    """A rich progress bar fed with `Status`."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[done]}/{task.fields[total_scenarios]} scenarios"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", done=0, total_scenarios=0, rate="", total=None)
        self._start = time.monotonic()

    def __call__(self, status: Status) -> None:
        """Move the bar."""
        elapsed = max(time.monotonic() - self._start, 1e-9)
        self._progress.update(
            self._task,
            completed=status.requests,
            total=status.requests_total,
            done=status.scenarios,
            total_scenarios=status.scenarios_total,
            rate=f"{status.requests / elapsed / 1e6:.1f} M requests/s",
        )

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


@contextmanager
def shown() -> Iterator[Lines | Bar]:
    """The way to show progress that suits where stderr goes."""
    if sys.stderr.isatty():
        with Bar() as bar:
            yield bar
    else:
        yield Lines()
