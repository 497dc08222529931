"""Names that only others know: instances and regions of the price tables, traces and files.

The packages that know them are imported when there is a name to ask about.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path as File
from typing import Any, NamedTuple

from modeler.scenario.errors import nearest
from modeler.scenario.paths import Path, written


class Stranger(NamedTuple):
    """A name that nobody knows.

    Attributes
    ----------
    at : tuple of str and int. Where it was written, such as ``("hosting", "region")``.
    message : str. What is wrong, with the nearest names of a price table.
    nearest : str. The name that was probably meant, where the message does not say it.
    """

    at: Path
    message: str
    nearest: str = ""


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
    checks: dict[str, Callable[[str], str]] = {
        "hosting.instance": _instance,
        "hosting.region": _region,
        "token_api": _token_api,
    }
    for path, problem in checks.items():
        if path == "hosting.region" and own_price:
            continue  # no table is asked
        for at, name in _written(path, data):
            on_cloud_run = path == "hosting.region" and settings.get("kind") == "cloud_run"
            message = _cloud_run_region(name) if on_cloud_run else problem(name)
            if message:
                yield Stranger(at, message)


def _token_api(name: str) -> str:
    import pricing

    try:
        pricing.token_price(name)
    except pricing.PricingError as error:
        return str(error)
    return ""


def missing_files(data: Mapping[str, Any], folder: File) -> Iterator[Stranger]:
    """Every trace, file of service times and file of constants, as written, that is not there.

    Parameters
    ----------
    data : mapping. A scenario as it was read.
    folder : Path. Where relative names are looked for.
    """
    for at, name in _written("trace", data):
        if not (folder / name).exists():
            samples = _samples()
            if name not in samples:
                known = ", ".join(samples)
                message = f'trace: "{name}" is neither a file nor a sample; samples: {known}'
                yield Stranger(at, message, nearest(name, samples))
    service = data.get("service")
    empirical = isinstance(service, Mapping) and service.get("kind") == "empirical"
    for at, name in _written("service.file", data):
        if (empirical or at[0] == "sweep") and not (folder / name).exists():
            yield Stranger(at, f'service.file: there is no file "{name}"')
    for key in ("profile", "architecture"):
        for at, name in _written(f"service.{key}", data):
            is_file = key == "profile" or name.endswith(".json")
            if is_file and not (folder / name).exists():
                yield Stranger(at, f'service.{key}: there is no file "{name}"')
    for at, name in _written("cold_start.constants", data):
        if not (folder / name).exists():
            message = (
                f'cold_start.constants: there is no file "{name}"; modeler calibrate writes one'
            )
            yield Stranger(at, message)


def _written(path: str, data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The names given for a setting, alone or to vary it, each with its place."""
    for place, name in written(path, data):
        if isinstance(name, str) and name:
            yield place, name


@cache
def _instance(name: str) -> str:
    import pricing

    known = set(pricing.instance_types())
    # A prefix too many or too few is a contradiction with hosting.kind, which says what to write.
    if name in known or name.removeprefix("ml.") in known:
        return ""
    try:
        pricing.instance(name)
    except pricing.PricingError as error:
        return f"hosting.instance: {error}"
    return ""


@cache
def _region(name: str) -> str:
    import pricing

    try:
        pricing.price(pricing.instance_types()[0], name)
    except pricing.UnknownRegion as error:
        return f"hosting.region: {error}"
    except pricing.PricingError:
        return ""
    return ""


@cache
def _cloud_run_region(name: str) -> str:
    import pricing

    known = pricing.cloud_run_regions()
    if name in known:
        return ""
    return (
        f'hosting.region: no Cloud Run price is held for "{name}": write one of '
        f"{', '.join(known)}, or the price of an instance as hosting.usd_per_hour"
    )


def _samples() -> tuple[str, ...]:
    import traces

    return traces.sample_names()
