"""What a model's cold start costs: traffic in, dollars, SLA violations and scale-out lag out.

Reading guide. Three files, in this order, hold the main path:

1. ``modeler/study/sweep.py``: one scenario becomes many, each is run, the rows become a verdict;
2. ``modeler/replay/run.py``: one scenario and one trace become request, replica and decision
   records;
3. ``modeler/measure/judge.py``: records become violations with causes, lag by phase, cost lines
   and bounds.

Around them: ``modeler/scenario`` asks, ``modeler/predict`` foresees (size, service time, cold
start), ``modeler/autoscale`` decides, ``modeler/report`` shows, ``modeler/referee`` checks,
``modeler/cli`` parses and prints. Two neighbours stand alone beside this package: ``traces``
(the traffic that came) and ``pricing`` (what things cost).

In a notebook import ``modeler`` first: it makes sure that the neighbours found are its own.
"""

from modeler._interrupt import begin as _begin  # isort: skip

_begin()  # before anything else is loaded

from modeler._cache import ensure_cache as _ensure_cache  # noqa: E402
from modeler._neighbours import check_neighbours as _check_neighbours  # noqa: E402

__version__ = "0.1.0"

_check_neighbours()
_ensure_cache()
