"""Two transfers on one interface, against arithmetic done by hand, and the laws of a timeline."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.predict.timeline import Staged, Transfer, share_nic

ONE = np.ones(1)


def ends(a: Transfer, b: Transfer) -> tuple[float, float]:
    first, second = share_nic(a, b, ONE, ONE)
    return float(first[0]), float(second[0])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # 100 MB/s shared, both able to fill it: 50 each until the smaller is done at 20 s, then
        # the other has 3000 - 1000 = 2000 MB left at 100 MB/s.
        (Transfer(1000, 100, 50), Transfer(3000, 100, 50), (20.0, 40.0)),
        (Transfer(3000, 100, 50), Transfer(1000, 100, 50), (40.0, 20.0)),
        # A cap below the half is felt alone and together: 600 / 30 = 20 s all the same.
        (Transfer(600, 30, 30), Transfer(3000, 100, 50), (20.0, 40.0)),
        # Equal transfers end together.
        (Transfer(500, 100, 50), Transfer(500, 100, 50), (10.0, 10.0)),
        # With nothing to pull the fetch never shares.
        (Transfer(0, 100, 50), Transfer(1000, 80, 50), (0.0, 12.5)),
        (Transfer(0, 100, 50), Transfer(0, 80, 50), (0.0, 0.0)),
    ],
)
def test_shared_interface_by_hand(a: Transfer, b: Transfer, expected: tuple[float, float]) -> None:
    # Exact in real arithmetic; 1e-12 is the rounding of a few operations.
    assert ends(a, b) == pytest.approx(expected, rel=1e-12)


rates = st.floats(1.0, 1e3)
volumes = st.floats(0.0, 1e6)


@given(a=volumes, b=volumes, cap_a=rates, cap_b=rates, nic=rates)
def test_sharing_lies_between_alone_and_one_after_the_other(
    a: float, b: float, cap_a: float, cap_b: float, nic: float
) -> None:
    alone_a, alone_b = min(cap_a, nic), min(cap_b, nic)
    first = Transfer(a, alone_a, min(cap_a, nic / 2))
    second = Transfer(b, alone_b, min(cap_b, nic / 2))
    end_a, end_b = ends(first, second)
    slack = 1e-9 * (1 + end_a + end_b)
    assert end_a >= a / alone_a - slack
    assert end_b >= b / alone_b - slack
    assert max(end_a, end_b) <= a / alone_a + b / alone_b + slack
    # No more bytes have passed than the interface can carry.
    assert a + b <= nic * max(end_a, end_b) + 1e-9 * (1 + a + b)


@given(a=volumes, b=volumes, more=volumes, cap_a=rates, cap_b=rates, nic=rates)
def test_more_bytes_never_end_sooner(
    a: float, b: float, more: float, cap_a: float, cap_b: float, nic: float
) -> None:
    def both(size: float) -> tuple[float, float]:
        return ends(
            Transfer(size, min(cap_a, nic), min(cap_a, nic / 2)),
            Transfer(b, min(cap_b, nic), min(cap_b, nic / 2)),
        )

    before, after = both(a), both(a + more)
    slack = 1e-9 * (1 + sum(after))
    assert after[0] >= before[0] - slack
    assert after[1] >= before[1] - slack


def staged(parallel: bool, streaming: bool) -> Staged:
    return Staged(
        provision_s=20.0,
        boot_s=10.0,
        device_s=5.0,
        pull=Transfer(3000, 100, 50),
        fetch=Transfer(1000, 100, 50),
        unpack_s=7.0,
        parallel=parallel,
        load_s=4.0,
        streaming=streaming,
        init_s=30.0,
        register_s=2.0,
    )


@pytest.mark.parametrize(
    ("parallel", "streaming", "pull", "fetch", "load"),
    [
        # Together: fetch ends 20 s after 35 s, download after 40 s, then 7 s of unpacking.
        (True, False, (35, 82), (35, 55), (82, 86)),
        (True, True, (35, 82), (35, 55), (35, 82)),
        # One after the other: 30 s + 7 s, then 10 s.
        (False, False, (35, 72), (72, 82), (82, 86)),
        (False, True, (35, 72), (72, 82), (72, 82)),
    ],
)
def test_phases_by_hand(
    parallel: bool,
    streaming: bool,
    pull: tuple[float, float],
    fetch: tuple[float, float],
    load: tuple[float, float],
) -> None:
    timeline = staged(parallel, streaming)
    starts, finish = timeline.place(np.ones((1, len(timeline.phases))))
    placed = dict(zip(timeline.phases, zip(starts[0], finish[0], strict=True), strict=True))
    assert placed["provision"] == (0, 20)
    assert placed["boot"] == (20, 30)
    assert placed["device"] == (30, 35)
    assert placed["image_pull"] == pytest.approx(pull)
    assert placed["artifact_fetch"] == pytest.approx(fetch)
    assert placed["load"] == pytest.approx(load)
    assert placed["init"] == pytest.approx((load[1], load[1] + 30))
    assert placed["register"] == pytest.approx((load[1] + 30, load[1] + 32))
