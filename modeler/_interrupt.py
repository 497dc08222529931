"""Ctrl-C on the command line: one line and exit code 130, from the first import on.

Python answers it with an exception, which is lost where it falls into a callback of an import or of
the compiler, and is a traceback and an end by the signal where nobody is there to catch it. While
modules are loaded nothing has been made yet: there the process ends at once. What works catches the
exception, stops its workers and says what is kept.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_INTERRUPTED: Final = 130  # as `modeler.cli.exits` has it, which is not loaded yet
_ours = False


def begin() -> None:
    """End at once from here on, where this process is the command line and is to be ended so.

    Not in a program that imports `modeler`, and not under ``nohup`` or in the background of a
    shell, where the signal is ignored.
    """
    global _ours
    # `python -m modeler` loads the package before it says where that is; else the script's name.
    script = os.path.basename(sys.argv[0] if sys.argv else "")
    if script in ("-m", "modeler", "modeler.exe") and _is_answered():
        _ours = True
        end_at_once()


def end_at_once() -> None:
    """Ctrl-C ends this process without further ado."""
    if _ours:
        signal.signal(signal.SIGINT, _end)


def raise_it() -> None:
    """Ctrl-C is raised from here on, for who has workers to stop."""
    if _ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def loading() -> Iterator[None]:
    """End at once while modules are loaded, and raise it afterwards."""
    end_at_once()
    try:
        yield
    finally:
        raise_it()


@contextmanager
def hidden_from_children() -> Iterator[None]:
    """Processes that are started here never see Ctrl-C, not even while they load their modules.

    It goes to all processes of a terminal; who started them stops them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # They inherit the mask. What comes meanwhile is answered when it is lifted.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_answered() -> bool:
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end(*_: object) -> None:
    with suppress(OSError):
        os.write(2, b"error: interrupted\n")
    os._exit(_INTERRUPTED)
