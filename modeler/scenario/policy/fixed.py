"""A fleet that never changes."""

from typing import Literal

from modeler.scenario.fields import Block, Count, setting


class Fixed(Block):
    """A fleet that never changes."""

    kind: Literal["fixed"] = "fixed"
    replicas: Count = setting(..., "Replicas held all the time.", ge=1)
