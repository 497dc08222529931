"""What a check says: a finding, what it rests on, and what cures it."""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from modeler.study.doctor.spans import Overview

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["critical", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "note")
Ground = Literal["documented", "observed", "assumed"]


@dataclass(frozen=True)
class Held:
    """One of the values that a check holds against each other.

    Parameters
    ----------
    what : str. In words.
    value : float. In `unit`.
    unit : str. Empty for counts and shares.
    path : str. The setting it is; empty where it follows from others or from the traffic.
    origin : str. ``documented``, ``observed``, ``assumed`` or ``yours`` of a setting, else
        ``computed``.
    """

    what: str
    value: float
    unit: str = ""
    path: str = ""
    origin: str = "computed"


@dataclass(frozen=True)
class Cure:
    """What to do about it.

    Parameters
    ----------
    words : str. One sentence.
    settings : mapping of str to object. Path to value, as ``--set`` and `with_values` take them;
        empty where no setting alone cures it.
    """

    words: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The options that apply it; empty where none do, a list cannot be written as one."""
        texts = {path: _text(value) for path, value in self.settings.items()}
        if any("," in text for text in texts.values()):
            return ""
        return " ".join(f"--set {shlex.quote(f'{path}={text}')}" for path, text in texts.items())

    @property
    def how(self) -> str:
        """The options, or else the lines for the scenario file; empty where no setting cures it."""
        if self.command or not self.settings:
            return self.command
        lines = "; ".join(f"{path}: {_text(value)}" for path, value in self.settings.items())
        return f"in the scenario, {lines}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class Finding:
    """One fault of a policy that is seen before any replay.

    Parameters
    ----------
    id : str. Stable name of the fault.
    severity : str. ``critical``: requests or replicas are lost; ``warning``: dollars or seconds
        are; ``note``: worth knowing.
    paths : tuple of str. The settings that make it.
    held : tuple of Held. The values held against each other.
    reason : str. One plain sentence.
    cure : Cure.
    ground : str. Whether the rule is ``documented``, ``observed`` or ``assumed``.
    source : str. Where it was read or seen, or why it is assumed.
    """

    id: str
    severity: Severity
    paths: tuple[str, ...]
    held: tuple[Held, ...]
    reason: str
    cure: Cure
    ground: Ground
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.id,
            "severity": self.severity,
            "paths": list(self.paths),
            "held": [asdict(one) for one in self.held],
            "reason": self.reason,
            "cure": {
                "words": self.cure.words,
                "settings": dict(self.cure.settings),
                "command": self.cure.command,
            },
            "ground": self.ground,
            "source": self.source,
        }

    def to_row(self) -> dict[str, Any]:
        """One flat row; ``columns.csv`` declares its columns."""
        return {
            "id": self.id,
            "severity": self.severity,
            "paths": " ".join(self.paths),
            "held": "; ".join(shown(one) for one in self.held),
            "reason": self.reason,
            "cure": self.cure.words,
            "command": self.cure.command,
            "ground": self.ground,
            "source": self.source,
        }


def shown(held: Held) -> str:
    """A value with its name and unit, for reading.

    >>> shown(Held("a start", 552.34, "s"))
    'a start 552.3 s'
    """
    unit = f" {held.unit}" if held.unit and held.unit != "%" else held.unit
    return f"{held.what} {held.value:.4g}{unit}"


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What the checks found in one scenario.

    Parameters
    ----------
    scenario : str. Its name.
    policy : str. The kinds of policy in force.
    findings : tuple of Finding. The most severe first.
    checks : int. Checks that were run.
    overview : Overview. The times and capacities that were looked at; empty where nothing could be.
    """

    scenario: str
    policy: str
    findings: tuple[Finding, ...]
    checks: int
    overview: Overview = field(default_factory=Overview)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(one for one in self.findings if one.severity == severity)

    @property
    def worst(self) -> Severity | None:
        """The severity of the first finding; None where nothing was found."""
        return self.findings[0].severity if self.findings else None

    def sentence(self) -> str:
        """What to do, in a sentence or two."""
        if not self.findings:
            return (
                f"Nothing found: {self.checks} checks were run and none of them objects; a replay "
                "says what this policy costs."
            )
        critical, first = self.of("critical"), self.findings[0]
        if critical:
            fault = "fault" if len(critical) == 1 else "faults"
            start = f"Do not deploy this as it is: it has {len(critical)} critical {fault}."
        elif first.severity == "warning":
            start = (
                "Nothing that cannot work was found, but it will be slower or dearer than it needs "
                f"to be; {_BY_REPLAY}."
            )
        else:
            start = f"Nothing that does harm was found; {_BY_REPLAY}."
        how = f" ({first.cure.how})" if first.cure.how else ""
        return f"{start} First: {first.cure.words}{how}."

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``doctor/1``."""
        return {
            "schema": "doctor/1",
            "scenario": self.scenario,
            "policy": self.policy,
            "checks": self.checks,
            "advice": self.sentence(),
            "findings": [one.to_dict() for one in self.findings],
            **self.overview.to_dict(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """One flat row a finding."""
        return [one.to_row() for one in self.findings]

    def frame(self) -> pd.DataFrame:
        """One row a finding; ``columns.csv`` declares the columns."""
        import pandas as pd

        columns = list(_NOTHING.to_row())
        return pd.DataFrame(self.rows(), columns=columns)

    def __repr__(self) -> str:
        found = ", ".join(f"{len(self.of(one))} {one}" for one in SEVERITIES if self.of(one))
        return f"Diagnosis of {self.scenario}: {found or 'nothing found'} ({self.checks} checks)"

    def _repr_html_(self) -> str:
        table: str = self.frame()[["severity", "id", "reason", "cure", "command"]].to_html(
            index=False
        )
        return f"<p>{html.escape(self.sentence())}</p>{table}"


_BY_REPLAY: Final = "what it misses only a replay tells"
_NOTHING: Final = Finding("", "note", (), (), "", Cure(""), "assumed", "")
