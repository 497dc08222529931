"""The frontier of dollars against misses, and what each factor of ten fewer of them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Nine(NamedTuple):
    """What fewer misses cost between two points of a frontier.

    Attributes
    ----------
    usd_per_nine : float. Dollars for each factor of ten fewer misses.
    at_most : bool. Whether it is a bound: at the dearer point nothing was missed, so that fewer
        than one request in all of them is taken for what it misses.
    """

    usd_per_nine: float
    at_most: bool


def frontier(usd: Sequence[float], share: Sequence[float]) -> list[int]:
    """The points of which no other is both as cheap and misses as little, the cheapest first.

    >>> frontier([3.0, 1.0, 2.0, 4.0], [0.02, 0.5, 0.01, 0.001])
    [1, 2, 3]
    """
    found: list[int] = []
    for k in sorted(range(len(usd)), key=lambda k: (usd[k], share[k])):
        if not found or share[k] < share[found[-1]]:
            found.append(k)
    return found


def price(
    usd: Sequence[float], share: Sequence[float], requests: int, *, since: int, to: int
) -> Nine:
    """Dollars per nine from one point to another that misses less.

    Parameters
    ----------
    usd, share : sequence of float.
    requests : int. That were replayed: the resolution of a share.
    since, to : int. Numbers of the two points.

    >>> price([10.0, 40.0], [0.1, 0.001], 10_000, since=0, to=1)
    Nine(usd_per_nine=15.0, at_most=False)
    """
    gained = depth(share[to], requests) - depth(share[since], requests)
    each = (usd[to] - usd[since]) / gained if gained > 0.0 else math.inf
    return Nine(each, share[to] <= 0.0)


def worth(usd: Sequence[float], share: Sequence[float], requests: int) -> list[int]:
    """The points of a frontier that are worth going to: from one to the next, nines get dearer.

    Points above a line between two others, dollars over the logarithm of misses, are passed over:
    going on from the one before buys nines for less.

    >>> worth([10.0, 30.0, 40.0], [0.1, 0.09, 0.001], 1000)
    [0, 2]
    """
    hull: list[int] = []
    for k in range(len(usd)):
        while len(hull) > 1 and (
            price(usd, share, requests, since=hull[-1], to=k).usd_per_nine
            <= price(usd, share, requests, since=hull[-2], to=hull[-1]).usd_per_nine
        ):
            hull.pop()
        if not hull or depth(share[k], requests) > depth(share[hull[-1]], requests):
            hull.append(k)
    return hull


def depth(share: float, requests: int) -> float:
    """How many nines a share of misses is.

    Parameters
    ----------
    share : float.
    requests : int. Of all of them fewer than one is missed where nothing was.

    >>> depth(0.001, 10_000), depth(0.0, 10_000)
    (3.0, 4.0)
    """
    return -math.log10(max(share, 1.0 / requests))
