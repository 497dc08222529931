"""Examine a policy before any replay: what in it cannot work, why, and what cures it.

`examine` runs the checks; `facts` computes what they hold against each other; one file holds each
family of checks, every check a function from facts to findings.
"""

from __future__ import annotations

from modeler.study.doctor.examine import CHECKS, doctor
from modeler.study.doctor.findings import SEVERITIES, Cure, Diagnosis, Finding, Held, shown

__all__ = ["CHECKS", "SEVERITIES", "Cure", "Diagnosis", "Finding", "Held", "doctor", "shown"]
