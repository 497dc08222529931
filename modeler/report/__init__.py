"""Show: a finished sweep as a table, figures, and a page in one file.

Everything here reads plain dicts (schema ``sweep/1``) and never a clock, so that the same result
gives the same bytes.

Reading guide: `sweep_table` in ``table.py`` (text), `write_figures` in ``figures.py``, `page` in
``html.py``, `save_run` in ``save.py``, which writes all of it into a folder, and `replay_text` for
one replay.
"""

from modeler.report.comparison_text import comparison_text
from modeler.report.figures import incident_figure, write_figures
from modeler.report.files import OutputFolderError, check_writable
from modeler.report.focus import FocusError, focus_rows
from modeler.report.html import page
from modeler.report.incident_text import incident_text
from modeler.report.replayed import replay_text
from modeler.report.save import save_run
from modeler.report.table import sweep_table
from modeler.report.terminal import look_of

__all__ = [
    "FocusError",
    "OutputFolderError",
    "check_writable",
    "comparison_text",
    "focus_rows",
    "incident_figure",
    "incident_text",
    "look_of",
    "page",
    "replay_text",
    "save_run",
    "sweep_table",
    "write_figures",
]
