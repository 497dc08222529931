"""Every setting in force, with the constants of the cold start and the price that the run uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pricing
from modeler.predict.constants import SET, in_force
from modeler.predict.hardware import listed_price
from modeler.predict.latency.profile import ProfileError, read_profile
from modeler.scenario.explain import InForce, settings_in_force

if TYPE_CHECKING:
    from modeler.scenario import Scenario

_COLD_START = "cold_start."
_PRICE = "hosting.usd_per_hour"
_PROFILE = "service.profile"


def explain(scenario: Scenario, given: Mapping[str, str] | None = None) -> list[InForce]:
    """Every setting in force: path, value, unit, origin, source and meaning.

    Parameters
    ----------
    scenario : Scenario.
    given : mapping of str to str, optional. As for `modeler.scenario.settings_in_force`.

    Returns
    -------
    list of InForce
        In the order of the schema. A constant of the cold start that was not set has the value of
        the hosting's table, and so do constants that no setting replaces alone; the price is that
        of the dated tables. Neither needs the traffic.
    """
    rows: list[InForce] = []
    for row in settings_in_force(scenario, given):
        if row.path == _PRICE and row.value is None:
            row = _price(scenario, row)
        if row.path == _PROFILE and row.value is not None:
            row = _profile(scenario, row)
        if row.origin == "yours" or not _is_constant(scenario, row.path):
            rows.append(row)
        if row.path == "cold_start.total_s":
            rows += _constants(scenario)
    return rows


def _is_constant(scenario: Scenario, path: str) -> bool:
    """Whether a setting stands for a constant of the hosting's table, which says its own origin."""
    field = type(scenario.cold_start).model_fields.get(path.removeprefix(_COLD_START))
    if field is None or not path.startswith(_COLD_START):
        return False
    about = field.json_schema_extra
    return isinstance(about, dict) and not about["origin"]


def _constants(scenario: Scenario) -> Iterator[InForce]:
    """The constants of the hosting that nothing of the scenario replaces."""
    if scenario.cold_start.total_s is not None:
        return
    fields = type(scenario.cold_start).model_fields
    for constant in in_force(scenario).values():
        if constant.origin == SET:
            continue
        value = bool(constant.value) if constant.unit == "flag" else constant.value
        unit = "" if constant.unit in ("flag", "1") else constant.unit
        declared = fields.get(constant.name)
        meaning = (declared.description if declared else constant.note) or "A phase constant."
        yield InForce(
            f"{_COLD_START}{constant.name}", value, unit, constant.origin, constant.source, meaning
        )


def _profile(scenario: Scenario, row: InForce) -> InForce:
    """The file of measured seconds, with what of it the run uses and is no measurement."""
    file, service = str(row.value), scenario.service
    try:
        profile = read_profile(file)
    except (ProfileError, OSError) as error:
        return row._replace(source=f"{row.source}; cannot be used: {error}")
    asked = getattr(service, "max_batch", scenario.fleet.slots)
    said = (
        f"{len(profile.sizes)} rows, {profile.name} {profile.sizes[0]:g} to {profile.sizes[-1]:g}"
    )
    notes = profile.notes(min(asked or profile.reach, profile.reach))
    return row._replace(source="; ".join([row.source, said, *notes]))


def _price(scenario: Scenario, row: InForce) -> InForce:
    """The price of the tables; what is missing there is said in its place."""
    try:
        found = listed_price(scenario)
    except pricing.PricingError as error:
        return row._replace(value=str(error), origin="assumed", source="no price is held")
    origin = "documented" if found.confidence == "quoted" else "assumed"
    source = f"{found.confidence} {found.as_of}: {found.source}"
    return row._replace(value=float(found.usd_per_hour), origin=origin, source=source)
