"""Every dollar's phase: what an instance did while it cost money, whatever meter it was billed by.

*Booting*: billed and not yet serving, initialisations and snapshots restored included. *Serving*:
requests and what lasts as long as they do. *Idle*: held, and used by nobody. *Draining*: out of
service and not yet released. *Rounding*: minimums and whole seconds. *Given_back*: what a provider
does not charge after all, a negative amount.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from modeler.measure.bill import CostLine

PHASES: Final = ("booting", "serving", "idle", "draining", "rounding", "given_back")
_POOL: Final = "warm pool: "
_FIRST: Final = "warm pool: first starts"
# Components whose name is not their phase.
_PHASE_OF: Final = {
    "reclaimed in the first hour": "given_back",
    "requests": "serving",
    "duration": "serving",
    "init": "booting",
    "provisioned_duration": "serving",
    "provisioned": "idle",  # held, used or not: use is a line of its own
    "ephemeral_storage": "serving",
    "snapshot_cache": "idle",
    "snapshot_restore": "booting",
}


def phase_of(component: str) -> str:
    """The phase of a line of a bill.

    >>> phase_of("g5.xlarge (spot): draining"), phase_of("init"), phase_of("warm pool: stopped")
    ('draining', 'booting', 'idle')
    """
    if component.startswith(_POOL):
        return "booting" if component == _FIRST else "idle"
    own = component.rpartition(": ")[2]
    return _PHASE_OF.get(own, own)


def usd_by_phase(lines: Iterable[CostLine]) -> dict[str, float]:
    """Dollars of each phase, 0 of one that a bill does not have; together they are the bill. [USD]

    >>> line = CostLine("init", 2.0, "GB-s", 0.5, 1.0, "", None)
    >>> usd_by_phase([line])["booting"]
    1.0
    """
    found: dict[str, list[float]] = {phase: [] for phase in PHASES}
    for line in lines:
        found[phase_of(line.component)].append(line.amount_usd)
    return {phase: math.fsum(amounts) for phase, amounts in found.items()}
