"""Connect: a platform's own policy files, read as they are.

>>> from modeler.platforms import export, load, read_policy

`read_policy` reads a file into settings of a scenario; `apply` lays them over one; `load` reads a
scenario whose policy is such a file. `export` writes the policy of a scenario as such a file.
"""

from typing import TYPE_CHECKING, Any

from modeler.platforms.load import load
from modeler.platforms.read import read_policy
from modeler.platforms.result import PolicyFile, apply

if TYPE_CHECKING:
    from modeler.platforms.writers import export

__all__ = ["PolicyFile", "apply", "export", "load", "read_policy"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """`export` is fetched when it is asked for: it needs a replay's rooms, reading does not."""
        if name == "export":
            from modeler.platforms.writers import export

            return export
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
