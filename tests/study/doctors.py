"""What the tests of the doctor share: figures that a hand can reckon with."""

import shlex

import numpy as np

from modeler.scenario import default, with_values
from modeler.study import doctor
from traces import Trace

# A request takes a second and a replica has four slots: it serves four a second. A start takes
# 100 s, all the same.
FIXED = {
    "service": {"kind": "fixed", "mean_s": 1.0},
    "fleet.slots": 4,
    "cold_start.total_s": 100,
    "queue.client_timeout_s": "none",
    "sweep": {},
}
KARPENTER = {"hosting.kind": "eks_karpenter", "hosting.nodes": {"kind": "karpenter"}}
GPU = {"kind": "target_tracking", "metric": "gpu_utilisation"}


def steady(rate_rps, duration_s=3600.0):
    """Requests at equal distances."""
    return Trace(np.arange(0.0, duration_s, 1.0 / rate_rps))


# Two requests a second for an hour.
STEADY = steady(2.0)


def stepped(*parts):
    """Parts of (requests a second, seconds) one after the other, at equal distances in each."""
    arrivals, at = [], 0.0
    for rate_rps, seconds in parts:
        arrivals.append(at + np.arange(0.0, seconds, 1.0 / rate_rps))
        at += seconds
    return Trace(np.concatenate(arrivals))


def scenario(**settings):
    """A scenario on the fixed figures; ``__`` in a name stands for the dot of a path."""
    values = {name.replace("__", "."): value for name, value in settings.items()}
    return with_values(default(), {**FIXED, **values})


def found(one, trace=STEADY):
    """The findings by their id; of one id the last."""
    return {finding.id: finding for finding in doctor(one, trace).findings}


def held(finding, what):
    """One of the values held against each other."""
    (value,) = [one.value for one in finding.held if one.what == what]
    return value


def cured(one, finding):
    """The scenario with the cure applied."""
    return with_values(one, dict(finding.cure.settings))


def pair(one, id, trace=STEADY):
    """The finding; its cure, applied, removes it."""
    finding = found(one, trace)[id]
    assert finding.cure.settings
    mended = cured(one, finding)
    assert id not in found(mended, trace)
    if finding.cure.command:  # says the same as the settings
        words = shlex.split(finding.cure.command)
        assert set(words[::2]) == {"--set"}
        assert with_values(one, dict(word.split("=", 1) for word in words[1::2])) == mended
    return finding
