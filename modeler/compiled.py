"""How the hot functions are compiled: one set of options, in one place.

The replay's loop hands some two dozen arrays from function to function. numba counts references to
each array at each hand-over, with atomic instructions; that alone was three quarters of the cost of
a control tick (1.65 of 2.1 us measured, 0.43 without). Nothing compiled here creates or keeps an
array, so the counting is switched off. A function that allocates does not compile under these
options, which is the guard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import cfunc, njit

# ``_nrt`` is the name under which numba (0.61 to 0.68 tried) offers to leave its runtime out.
_OPTIONS: dict[str, Any] = {"cache": True, "_nrt": False}


def kernel(*signature: Any, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function of the loop: compiled, cached, no reference counts.

    Parameters
    ----------
    signature : optional. Types to compile for at once; as for `numba.njit`.
    options : further options of `numba.njit`, such as ``inline`` and ``nogil``.
    """
    compiler: Any = njit
    decorate: Callable[[Callable[..., Any]], Any] = compiler(*signature, **_OPTIONS, **options)
    return decorate


def inner(*signature: Any, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """As `kernel`, for a function that only kernels call.

    It has no way in from Python, whose unpacking of two dozen arrays takes longer to compile than
    most of these functions do.
    """
    return kernel(*signature, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)


def first_class(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function that a compiled loop takes as an argument, and nobody calls by name.

    Parameters
    ----------
    signature : numba signature of scalars and arrays.
    """
    compiler: Any = cfunc
    decorate: Callable[[Callable[..., Any]], Any] = compiler(signature, **_OPTIONS)
    return decorate


def entry(signature: Any, decide: Any) -> Any:
    """A kernel as such a function.

    Parameters
    ----------
    signature : numba signature of scalars and arrays.
    decide : a function decorated with `kernel`.
    """
    return first_class(signature)(decide.py_func)
