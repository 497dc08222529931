"""Connect: a platform's own policy files, read as they are.

>>> from modeler.platforms import load, read_policy

`read_policy` reads a file into settings of a scenario; `apply` lays them over one; `load` reads a
scenario whose policy is such a file.
"""

from modeler.platforms.load import load
from modeler.platforms.read import read_policy
from modeler.platforms.result import PolicyFile, apply

__all__ = ["PolicyFile", "apply", "load", "read_policy"]
