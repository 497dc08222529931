"""Other prices on a finished run: its quantities stay, and nothing is replayed.

A price decides nothing in a replay, so that the bill at another one is the same quantities at it.
That holds for another day, and for another region or purchase as far as the fleet would have been
the same there: spot may be reclaimed, another region may start machines otherwise.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pricing
from modeler.measure.metered import LAMBDA_ITEMS

SCHEMAS: Final = ("replay/1", "sweep/1")
_OF_POOL: Final = re.compile(r"(?P<type>\S+) \((?P<purchase>[\w-]+)\): ")
_FUNCTION: Final = re.compile(r"lambda \d+ MB (?P<arch>\S+)")
_ENDPOINT: Final = re.compile(r"sagemaker_serverless (?P<memory>\d+) MB")
_GIVEN_BACK: Final = "reclaimed in the first hour"
_ARCH: Final = {"arm64": "arm", "x86_64": "x86"}


class RepriceError(Exception):
    """A file that is no finished run; says what was expected."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Asked:
    """What to price with.

    Parameters
    ----------
    as_of : str, optional. Nothing read after this day.
    region, purchase : str, optional. Instead of the run's own.
    usd_per_hour : float, optional. Of each instance, instead of the tables'.
    allow_derived : bool. Estimates where nothing is quoted.
    """

    as_of: str | None = None
    region: str | None = None
    purchase: str | None = None
    usd_per_hour: float | None = None
    allow_derived: bool = False


@dataclass(frozen=True)
class Line:
    """A line of the bill at both prices.

    Parameters
    ----------
    scenario_id, component, unit : str. As in the run.
    quantity : float. [as `unit`]
    old_price, new_price : float. [USD per unit]
    old_usd, new_usd : float. [USD]
    as_of, source : str or None. Of the new price.
    kept : str. Why the old price stands; empty where it was replaced.
    """

    scenario_id: str
    component: str
    unit: str
    quantity: float
    old_price: float
    new_price: float
    old_usd: float
    new_usd: float
    as_of: str | None
    source: str
    kept: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def read_run(path: str | os.PathLike[str]) -> list[Mapping[str, Any]]:
    """The outcomes of a finished replay or sweep that have a bill.

    Raises
    ------
    RepriceError
        Not JSON, another schema, or nothing in it that was billed.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RepriceError(f"{name}: not JSON: {error}") from error
    schema = content.get("schema") if isinstance(content, Mapping) else None
    if schema not in SCHEMAS:
        found = f", found {schema}" if isinstance(schema, str) else ""
        raise RepriceError(
            f"{name}: expected what replay or sweep print with --format json "
            f"({' or '.join(SCHEMAS)}){found}"
        )
    rows = [content.get("outcome")] if schema == "replay/1" else content.get("scenarios")
    billed = [row for row in rows or () if isinstance(row, Mapping) and row.get("cost_lines")]
    if not billed:
        raise RepriceError(f"{name}: nothing in it was billed")
    return billed


def reprice(outcome: Mapping[str, Any], asked: Asked) -> tuple[Line, ...]:
    """The bill of one outcome at other prices.

    Parameters
    ----------
    outcome : mapping. Of `read_run`: its ``cost_lines`` and ``prices``.
    asked : Asked.

    Returns
    -------
    tuple of Line
        In the order of the bill.

    Raises
    ------
    pricing.PricingError
        A price is not held for the day, region or purchase; the nearest are named.
    """
    return tuple(_lines(outcome, asked))


def total_usd(lines: tuple[Line, ...]) -> tuple[float, float]:
    """The bill as it was and as it is now. [USD]"""
    return math.fsum(line.old_usd for line in lines), math.fsum(line.new_usd for line in lines)


def _lines(outcome: Mapping[str, Any], asked: Asked) -> Iterator[Line]:
    prices = outcome["prices"]
    for line in outcome["cost_lines"]:
        unit, quantity = str(line["unit"]), float(line["quantity"])
        own = _own_price(str(line["component"]), prices)
        usd, as_of, source, kept = float(line["unit_price_usd"]), line["as_of"], line["source"], ""
        if _GIVEN_BACK in str(line["component"]) and asked.purchase == "on-demand":
            usd, as_of, source = 0.0, None, "on demand nothing is reclaimed, nor given back"
        elif unit == "instance-hour" and asked.usd_per_hour is not None:
            usd, as_of, source = asked.usd_per_hour, None, "yours (--usd-per-hour)"
        elif unit == "instance-hour" and own["confidence"] != "yours":
            found = _instance(own, asked)
            usd, as_of, source = float(found.usd_per_hour), found.as_of, found.source
        else:
            unit_price = _metered(str(line["component"]), own, asked)
            if unit_price is None:
                kept = "the price was yours" if own["confidence"] == "yours" else "no other is held"
            else:
                usd, as_of, source = float(unit_price.usd), unit_price.as_of, unit_price.source
        yield Line(
            str(outcome["scenario_id"]), str(line["component"]), unit, quantity,
            float(line["unit_price_usd"]), usd, float(line["amount_usd"]), quantity * usd,
            as_of, source, kept,
        )  # fmt: skip


def _own_price(component: str, prices: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The price of a line: a fallback's lines begin with its type and purchase."""
    pool = _OF_POOL.match(component)
    if pool:
        for price in prices:
            if (price["instance_type"], price["purchase"]) == (pool["type"], pool["purchase"]):
                return price
    return prices[0]


def _instance(own: Mapping[str, Any], asked: Asked) -> pricing.Price:
    """The price of an instance on the day, in the region and bought as asked for."""
    return pricing.price(
        own["instance_type"],
        asked.region or own["region"],
        asked.purchase or own["purchase"],
        as_of=asked.as_of,
        allow_derived=asked.allow_derived or own["confidence"] == "derived",
    )


def _metered(
    component: str, own: Mapping[str, Any], asked: Asked
) -> pricing.ServerlessPrice | None:
    """The price of what is metered by the request; None where none is held for it."""
    region = asked.region or own["region"]
    function = _FUNCTION.fullmatch(own["instance_type"])
    endpoint = _ENDPOINT.fullmatch(own["instance_type"])
    if function and component in LAMBDA_ITEMS:
        item = LAMBDA_ITEMS[component].format(arch=_ARCH.get(function["arch"], "x86"))
        return pricing.serverless_price("lambda", item, region, as_of=asked.as_of)
    if endpoint and component in ("duration", "init"):
        item = f"second_{endpoint['memory']}"
        return pricing.serverless_price("sagemaker_serverless", item, region, as_of=asked.as_of)
    return None
