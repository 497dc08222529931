"""Laws have the mean and the spread they claim."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.referee.laws import service_law, two_moments
from modeler.referee.parameters import CaseError

MANY = 200_000


@settings(max_examples=25, deadline=None)
@given(cv2=st.one_of(st.just(0.0), st.floats(0.02, 6.0)), mean=st.floats(0.01, 100.0))
def test_two_moments(cv2, mean):
    """5 standard errors: the mean's is sqrt(cv2 / n); the spread's follows the fourth moment."""
    law = two_moments(mean, cv2)
    assert law.mean == mean
    assert law.cv2 == pytest.approx(cv2, rel=1e-6, abs=1e-12)
    drawn = law.draw(7, "x", 0, MANY) / mean
    assert (drawn > 0.0).all()
    assert drawn.mean() == pytest.approx(1.0, abs=5.0 * (cv2 / MANY) ** 0.5 + 1e-12)
    fourth = ((drawn - drawn.mean()) ** 4).mean()
    assert drawn.var() == pytest.approx(cv2, abs=6.0 * (fourth / MANY) ** 0.5 + 1e-12)


@pytest.mark.parametrize(
    ("name", "cv2", "kind", "remark"),
    [
        ("deterministic", 0.0, "Deterministic", False),
        ("hyperexponential cv2=9", None, "Hyperexponential", False),
        ("hyperexponential", 4.0, "Hyperexponential", False),
        ("uniform(0,2)", None, "Uniform", False),
        ("erlang-4", None, "Erlang", False),
        ("Erlang k=2", 0.5, "Erlang", False),
        ("lognormal", 2.0, "Lognormal", False),
        ("exponential", None, "Exponential", False),
        ("gamma", 0.25, "Erlang", True),
        ("weibull", 3.0, "Hyperexponential", True),
    ],
)
def test_law_by_name(name, cv2, kind, remark):
    law, note = service_law(name, 1.0, cv2)
    assert type(law).__name__ == kind
    assert bool(note) is remark


@pytest.mark.parametrize(("name", "cv2"), [("uniform", 0.5), ("gamma", None), ("gamma", -1.0)])
def test_law_that_cannot_be(name, cv2):
    with pytest.raises(CaseError):
        service_law(name, 1.0, cv2)


def test_draws_do_not_depend_on_the_chunk():
    for cv2 in (0.3, 1.0, 5.0):
        law = two_moments(2.0, cv2)
        whole = law.draw(3, "s", 0, 1000)
        parts = np.concatenate([law.draw(3, "s", 0, 317), law.draw(3, "s", 317, 683)])
        assert np.array_equal(whole, parts)
