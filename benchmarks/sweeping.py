"""What a sweep takes besides its replays, and whether memory grows with the scenarios.

    python -m benchmarks.sweeping [SCENARIOS]

Each scenario is a replay of ``office-week``; the time of the replays is that of the threads that
make them, everything else is the sweep's: scenarios, judging, packing, the ledger, the result.
"""

from __future__ import annotations

import io
import resource
import sys
import tempfile
import threading
import time
from typing import Any, Final

from modeler.plain import json_lines
from modeler.replay.run import run
from modeler.scenario import default, with_values
from modeler.study import rows, sweep

GOAL: Final = 0.10
_FEW: Final = 50


def compare(scenarios: int = 1000, workers: int = 2) -> dict[str, Any]:
    """Sweep so many scenarios, with a ledger and to JSON."""
    spent, lock = [0.0], threading.Lock()

    def timed(*args: Any, **more: Any) -> Any:
        before = time.thread_time()
        try:
            return run(*args, **more)
        finally:
            with lock:
                spent[0] += time.thread_time() - before

    rows.run = timed  # type: ignore[attr-defined]
    try:
        _sweep(_FEW, workers)  # compiled, imported, drawn once
        few = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent[0], before = 0.0, time.process_time()
        _sweep(scenarios, workers)
        total = time.process_time() - before
    finally:
        rows.run = run  # type: ignore[attr-defined]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "scenarios": scenarios,
        "cpu_s": total,
        "replays_cpu_s": spent[0],
        "overhead": total / spent[0] - 1.0,
        "few": _FEW,
        "few_bytes": few * 1024,
        "most_bytes": most * 1024,
    }


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def _sweep(scenarios: int, workers: int) -> None:
    targets = [round(0.3 + 0.6 * k / scenarios, 6) for k in range(scenarios)]
    with tempfile.TemporaryDirectory() as folder:
        result = sweep(
            with_values(default(), {"sweep": {}}),
            sizes=["4GB"],
            settings={"policy.target_utilisation": targets},
            references=False,
            ledger=folder,
            workers=workers,
        )
        _Nowhere().writelines(json_lines(result.lazy()))


def main() -> None:
    """Print the ratio."""
    found = compare(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print(
        f"sweeping {found['scenarios']:,} scenarios of office-week: {found['cpu_s']:.0f} CPU s, "
        f"of which replays {found['replays_cpu_s']:.0f}: {100 * found['overhead']:.1f} % besides "
        f"(at most {100 * GOAL:.0f} %); memory {found['few_bytes'] / 1e6:.0f} MB at "
        f"{found['few']} scenarios, {found['most_bytes'] / 1e6:.0f} MB at {found['scenarios']:,}"
    )


if __name__ == "__main__":
    main()
