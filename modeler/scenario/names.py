"""Names that only the price tables know: whether there is such an instance and such a region."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pricing


class Stranger(NamedTuple):
    """A name that no table knows.

    Attributes
    ----------
    at : tuple of str and int. Where it was written, such as ``("hosting", "region")``.
    message : str. What is wrong, with the nearest names.
    """

    at: tuple[str | int, ...]
    message: str


def strangers(data: Mapping[str, Any]) -> Iterator[Stranger]:
    """Every instance type and region, as written, that no table knows.

    Parameters
    ----------
    data : mapping. A scenario as it was read, its other mistakes included; what is no name at
        all is left to others to refuse.
    """
    hosting = data.get("hosting")
    settings = hosting if isinstance(hosting, Mapping) else {}
    axes = data.get("sweep")
    varied = axes if isinstance(axes, Mapping) else {}
    own_price = settings.get("usd_per_hour") is not None or "hosting.usd_per_hour" in varied
    for key, problem in (("instance", _instance), ("region", _region)):
        if key == "region" and own_price:
            continue  # no table is asked
        for at, name in _written(key, settings, varied):
            message = problem(name)
            if message:
                yield Stranger(at, message)


def _written(
    key: str, settings: Mapping[str, Any], varied: Mapping[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    values = varied.get(f"hosting.{key}")
    several = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
    places: list[tuple[tuple[str | int, ...], Any]] = [(("hosting", key), settings.get(key))]
    places += [(("sweep", f"hosting.{key}", i), value) for i, value in enumerate(several)]
    for at, name in places:
        if isinstance(name, str) and name:
            yield at, name


def _instance(name: str) -> str:
    known = set(pricing.instance_types())
    # A prefix too many or too few is a contradiction with hosting.kind, which says what to write.
    if name in known or name.removeprefix("ml.") in known:
        return ""
    try:
        pricing.instance(name)
    except pricing.PricingError as error:
        return f"hosting.instance: {error}"
    return ""


def _region(name: str) -> str:
    try:
        pricing.price(pricing.instance_types()[0], name)
    except pricing.UnknownRegion as error:
        return f"hosting.region: {error}"
    except pricing.PricingError:
        return ""
    return ""
