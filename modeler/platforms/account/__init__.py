"""An account that runs an endpoint already, read and never written: `init --from-endpoint`.

Reading guide: `calls.py` asks AWS and notes what it may not know; `endpoint.py` describes a
SageMaker endpoint; `traffic.py` reads its metrics; `compose.py` writes scenario, policy and trace.
"""

from modeler.platforms.account.calls import CALLS, Account, AccountError, iam_policy
from modeler.platforms.account.compose import compose
from modeler.platforms.account.endpoint import Endpoint, read_endpoint
from modeler.platforms.account.traffic import Observed, read_traffic

__all__ = [
    "CALLS",
    "Account",
    "AccountError",
    "Endpoint",
    "Observed",
    "compose",
    "iam_policy",
    "read_endpoint",
    "read_traffic",
]
