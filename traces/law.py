"""The law of made traffic: what `generate` draws from, `fit` finds and a JSON file holds.

A rate (a shape by the hour, times wandering factors, times states that come and go, times flash
crowds, with outages after which the refused come back) and gaps about it. Matching the gaps alone
is not enough: gaps make seconds uneven, the wandering makes minutes uneven, and it is minutes that
an autoscaler sees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from traces.errors import Problem, TraceError

Floats = NDArray[np.float64]

SCHEMA: Final = "traffic-law/1"
HOURS_A_DAY: Final = 24
HOURS_A_WEEK: Final = 168
# Shares of the quantiles that a fitted law of tokens holds: even, with more of the upper tail.
TOKEN_SHARES: Final = (
    0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999,
    1.0,
)  # fmt: skip

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Least0 = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lognormal(_Block):
    """Whole numbers with a lognormal law, clipped.

    Attributes
    ----------
    median : float. Half of the draws lie below. [tokens]
    sigma : float. Standard deviation of the logarithm.
    least, most : int. Bounds of the draws. [tokens]
    """

    median: Positive
    sigma: Least0
    least: int = Field(ge=0)
    most: int = Field(ge=0)

    def of_normal(self, values: Floats) -> Floats:
        """Draws for standard normal ones, which are overwritten."""
        values *= self.sigma
        values += np.log(self.median)
        np.exp(values, out=values)
        np.rint(values, out=values)
        return np.clip(values, self.least, self.most, out=values)


class Quantiles(_Block):
    """Whole numbers between quantiles, evenly within each step.

    Attributes
    ----------
    shares : tuple of float. From 0 to 1, rising.
    values : tuple of float. Quantile of each share. [tokens]
    """

    shares: tuple[Share, ...] = TOKEN_SHARES
    values: tuple[Least0, ...]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.shares) != len(self.values) or len(self.values) < 2:
            raise ValueError(f"as many values as shares, {len(self.shares)}, and at least 2")
        if self.shares[0] != 0.0 or self.shares[-1] != 1.0:
            raise ValueError("shares from 0 to 1")
        for name in ("shares", "values"):
            numbers = getattr(self, name)
            if any(b < a for a, b in pairwise(numbers)):
                raise ValueError(f"{name} that rise")
        return self

    def of_normal(self, values: Floats) -> Floats:
        """Draws for standard normal ones."""
        from scipy.special import ndtr

        return np.rint(np.interp(ndtr(values), self.shares, self.values))


TokenLaw = Lognormal | Quantiles


class Wander(_Block):
    """A lognormal factor of mean 1 whose logarithm is an Ornstein-Uhlenbeck process.

    Attributes
    ----------
    sigma : float. Standard deviation of the logarithm.
    tau_s : float. Time in which its correlation falls to 1/e. [s]
    """

    sigma: Least0
    tau_s: Positive


class Gaps(_Block):
    """Gaps between requests in operational time, the integral of the rate.

    Attributes
    ----------
    law : str. ``poisson``; ``hyperexponential`` (one of two exponential laws, each carrying half of
        the time), ``gamma`` or ``weibull``.
    cv : float. Coefficient of variation; 1 for Poisson, at least 1 for the hyperexponential.
    """

    law: Literal["poisson", "hyperexponential", "gamma", "weibull"]
    cv: float = Field(1.0, ge=0.05, le=20.0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.law == "poisson" and self.cv != 1.0:
            raise ValueError("a cv of 1, for the gaps of a Poisson process")
        if self.law == "hyperexponential" and self.cv < 1.0:
            raise ValueError("a cv of at least 1, or law: gamma")
        return self


class States(_Block):
    """A Markov-modulated rate: states with a factor each, left after an exponential time.

    Attributes
    ----------
    factors : tuple of float. Of the rate, relative to each other; 0 is a state without requests.
    mean_stay_s : tuple of float. Mean time in each. [s]
    """

    factors: tuple[Least0, ...] = Field(min_length=2)
    mean_stay_s: tuple[Positive, ...]

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if len(self.factors) != len(self.mean_stay_s):
            raise ValueError(f"as many mean_stay_s as factors, {len(self.factors)}")
        if not any(self.factors):
            raise ValueError("a factor above 0")
        return self


class Crowds(_Block):
    """Flash crowds: they start at once and fade.

    Attributes
    ----------
    per_day : float. At random, likelier when the rate is high. [1/day]
    at_s : tuple of float. Beside those, ones at given times. [s]
    height : tuple of 2 floats. Range of the factor that a crowd adds at its start.
    tau_s : float. Time in which a crowd falls to 1/e. [s]
    """

    per_day: Least0 = 0.0
    at_s: tuple[Least0, ...] = ()
    height: tuple[Least0, Least0]
    tau_s: Positive


class Outage(_Block):
    """A time without requests, after which those that would have come return.

    Attributes
    ----------
    at_s, lasts_s : float. [s]
    come_back : float. Share that returns when it is over.
    tau_s : float. Time in which what is left to return falls to 1/e. [s]
    """

    at_s: Least0
    lasts_s: Positive
    come_back: Share = 1.0
    tau_s: Positive = 60.0


class Client(_Block):
    """One of those who send the traffic, with gaps and tokens of its own.

    Attributes
    ----------
    share : float. Of the requests, relative to the others'.
    gaps : Gaps, optional. Instead of the law's.
    wander : tuple of Wander. Of this client alone, beside what all share.
    tokens : Tokens, optional. Instead of the law's.
    """

    share: Positive
    gaps: Gaps | None = None
    wander: tuple[Wander, ...] = ()
    tokens: Tokens | None = None


class Tokens(_Block):
    """What a request brings and asks for.

    Attributes
    ----------
    prompt, output : law, optional.
    correlation : float. Of the normal scores of both.
    """

    prompt: TokenLaw | None = None
    output: TokenLaw | None = None
    correlation: float = Field(0.0, ge=-1.0, le=1.0)


class TrafficLaw(_Block):
    """What made traffic looks like.

    Attributes
    ----------
    source : str. What it was fitted to, or where it is from.
    start : datetime, optional. The first arrival; without one, times are relative.
    days : float. Length. [days]
    mean_rps : float. Requests over length, crowds and outages included. [requests/s]
    hours : tuple of 24 or 168 floats, optional. Rate in the middle of each hour of the day, or of
        the week from Monday, relative to each other.
    harmonics : tuple of (period_s, cosine, sine). Waves that multiply the rate by 1 plus their sum.
    wander : tuple of Wander. Factors that multiply.
    states : States, optional.
    crowds : Crowds, optional.
    outages : tuple of Outage.
    gaps : Gaps.
    tokens : Tokens.
    clients : tuple of Client. Without any, all is one client's.
    step_s : float. The rate is constant so long. [s]
    paths : int. Of so many draws of the wandering rate the one that scatters most like the law
        itself is taken, and as many requests as are expected: one trace is then typical of the
        law, not a lucky draw of it. With 1 every trace is a draw.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = ""
    start: datetime | None = None
    days: Annotated[float, Field(gt=0.0, le=3660.0)]
    mean_rps: Positive
    hours: tuple[Least0, ...] | None = None
    harmonics: tuple[tuple[Positive, float, float], ...] = ()
    wander: tuple[Wander, ...] = ()
    states: States | None = None
    crowds: Crowds | None = None
    outages: tuple[Outage, ...] = ()
    gaps: Gaps = Gaps(law="poisson")
    tokens: Tokens = Tokens()
    clients: tuple[Client, ...] = ()
    step_s: Annotated[float, Field(ge=0.1, le=3600.0)] = 10.0
    paths: int = Field(1, ge=1, le=1000)

    @field_validator("hours")
    @classmethod
    def _of_a_day_or_a_week(cls, hours: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if hours is not None and len(hours) not in (HOURS_A_DAY, HOURS_A_WEEK):
            raise ValueError(f"24 or 168 rates, found {len(hours)}")
        if hours is not None and not any(hours):
            raise ValueError("a rate above 0")
        return hours


def is_law(path: str | Path) -> bool:
    """Whether a file says that it holds a law."""
    if not Path(path).is_file():
        return False  # a pipe that nobody writes to would not open
    try:
        with open(path, encoding="utf-8") as file:
            return f'"{SCHEMA}"' in file.read(4096)
    except (OSError, UnicodeDecodeError):
        return False


def read_law(path: str | Path) -> TrafficLaw:
    """The law in a JSON file.

    Raises
    ------
    TraceError
        Not JSON, not a law, or one that cannot be: all problems at once.
    """
    name = str(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise TraceError(name, Problem(f"not JSON: {error}", f"a law, {SCHEMA}")) from None
    if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
        raise TraceError(name, Problem("not a law of traffic", f'"schema": "{SCHEMA}"'))
    try:
        return TrafficLaw.model_validate({k: v for k, v in content.items() if k != "schema"})
    except ValidationError as error:
        raise TraceError(name, [_problem(one) for one in error.errors()]) from None


def to_text(law: TrafficLaw) -> str:
    """A law as the JSON of a file."""
    content = law.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"schema": SCHEMA, **content}, indent=1) + "\n"


def _problem(error: Any) -> Problem:
    """One mistake in plain words."""
    where = ".".join(str(part) for part in error["loc"])
    value = json.dumps(error["input"], default=str)
    value = value if len(value) <= 60 else f"{value[:57]}..."
    kind = error["type"]
    if kind == "extra_forbidden":
        key = str(error["loc"][-1])
        near = get_close_matches(key, _KEYS, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"one of {', '.join(_KEYS)}"
        return Problem("is not a setting of a law", hint, column=where)
    if kind == "missing":
        return Problem("is missing", column=where)
    if kind == "value_error":
        return Problem("cannot be", str(error["ctx"]["error"]), column=where, value=value)
    limits = {"greater_than": "above", "greater_than_equal": "at least",
              "less_than_equal": "at most"}  # fmt: skip
    if kind in limits:
        bound = next(iter(error["ctx"].values()))
        return Problem("cannot be", f"{limits[kind]} {bound:g}", column=where, value=value)
    return Problem(error["msg"].lower(), column=where, value=value)


_KEYS: Final = tuple(
    dict.fromkeys(
        name
        for block in (TrafficLaw, Gaps, Wander, States, Crowds, Outage, Client, Tokens, Lognormal,
                      Quantiles)
        for name in block.model_fields
    )
)  # fmt: skip
