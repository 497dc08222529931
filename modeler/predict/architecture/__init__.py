"""How many parameters a model has, counted from a description of it.

Where to read first: `config.py` (a Hugging Face configuration), `spec.py` (layers an analyst
names), `estimators.py` (ensembles and linear models); `parts.py` says what a count is made of.
"""

from modeler.predict.architecture.config import FAMILIES, from_config
from modeler.predict.architecture.containers import FORMATS, file_bytes
from modeler.predict.architecture.described import read_description
from modeler.predict.architecture.estimators import from_ensemble, from_library, from_linear
from modeler.predict.architecture.fields import ArchitectureError
from modeler.predict.architecture.parts import Architecture, Attention, Part
from modeler.predict.architecture.spec import from_spec
from modeler.predict.architecture.trees import Ensemble

__all__ = [
    "FAMILIES",
    "FORMATS",
    "Architecture",
    "ArchitectureError",
    "Attention",
    "Ensemble",
    "Part",
    "file_bytes",
    "from_config",
    "from_ensemble",
    "from_library",
    "from_linear",
    "from_spec",
    "read_description",
]
