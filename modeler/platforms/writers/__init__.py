"""Write the policy of a scenario in a platform's own words.

>>> from modeler.platforms.writers import FORMS
>>> list(FORMS)
['terraform', 'cloudformation', 'boto3-json', 'hpa', 'keda', 'knative']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from modeler.platforms.writers.aws_json import write_json
from modeler.platforms.writers.cloudformation import write_template
from modeler.platforms.writers.forms import FORMS, check_form
from modeler.platforms.writers.header import header
from modeler.platforms.writers.keda import write_scaled_object
from modeler.platforms.writers.knative import write_service
from modeler.platforms.writers.kubernetes import write_hpa
from modeler.platforms.writers.pin import pinned
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.terraform import write_terraform
from modeler.platforms.writers.text import commented
from modeler.replay.run import Traffic
from modeler.scenario import Problem, Scenario, ScenarioError
from modeler.scenario.errors import nearest

__all__ = ["FORMS", "Exported", "export", "exported", "pinned"]

_WRITERS: Final[dict[str, Callable[[Scenario, Refusals], str]]] = {
    "terraform": write_terraform,
    "cloudformation": write_template,
    "boto3-json": write_json,
    "hpa": write_hpa,
    "keda": write_scaled_object,
    "knative": write_service,
}
# JSON has no comments.
_BARE: Final = ("boto3-json",)


@dataclass(frozen=True)
class Exported:
    """A written file.

    Attributes
    ----------
    text : str. The file.
    notes : tuple of str. What it does not say, where it has no room for comments.
    """

    text: str
    notes: tuple[str, ...] = ()


def export(
    scenario: Scenario,
    form: str,
    *,
    run: str = "",
    usd_per_hour: float | None = None,
    trace: Traffic | Callable[[], Traffic] | None = None,
) -> str:
    """The policy of a scenario as a file of its platform.

    Parameters
    ----------
    scenario : Scenario. Its ``sweep`` is not looked at.
    form : str. A key of `FORMS`: ``terraform``, ``cloudformation``, ``boto3-json``, ``hpa``,
        ``keda`` or ``knative``.
    run : str. Where the figures are from, for the comment on top.
    usd_per_hour : float, optional. What it is expected to cost, for the comment on top. [USD/h]
    trace : optional. The traffic from which a target that is not set follows, or what loads it,
        instead of what ``scenario.trace`` names.

    Returns
    -------
    str
        `modeler.platforms.read_policy` and `apply` make the same policy of it.

    Raises
    ------
    ScenarioError
        The form has no words for a setting; each is named, with the forms that have.
    """
    return exported(scenario, form, run=run, usd_per_hour=usd_per_hour, trace=trace).text


def exported(
    scenario: Scenario,
    form: str,
    *,
    run: str = "",
    usd_per_hour: float | None = None,
    trace: Traffic | Callable[[], Traffic] | None = None,
) -> Exported:
    """As `export`, with what JSON has no room for beside it."""
    if form not in FORMS:
        expected = f"one of {', '.join(FORMS)}"
        near = nearest(form, list(FORMS))
        raise ScenarioError([Problem(f"{form!r} is no form: {expected}", "", form, expected, near)])
    refusals = Refusals(form)
    check_form(scenario, form, refusals)
    refusals.end()
    full = pinned(scenario, trace)
    text = _WRITERS[form](full, refusals)
    refusals.end()
    notes = header(scenario, full, form, run, usd_per_hour)
    return Exported(text, tuple(notes)) if form in _BARE else Exported(commented(notes) + text)
