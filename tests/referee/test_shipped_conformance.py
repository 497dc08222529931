"""Every shipped answer of an upstream project, asked of the functions that decide in a replay."""

import pytest

from modeler.referee import read_cases, run_conformance
from modeler.referee.conformance.run import PLATFORMS
from modeler.referee.validation import SHIPPED

CASES = read_cases(SHIPPED[1]).cases


def test_every_platform_has_cases():
    assert {case.autoscaler.partition("-")[0] for case in CASES} == set(PLATFORMS)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_answer(case):
    result = run_conformance(case)
    assert (result.status, result.why) == ("passed", "")
