"""Constants of a start from measurements, and how far they predict measurements they did not see.

Where to read first: `steps.py` (which law a row tells of), then `fit.py`; `totals.py` makes a whole
start of its phases; `places.py` and `settings.py` say which settings of which hosting that is;
`plausible.py` refuses slips of an analyst's own rows; `measurements.csv` holds what was published.
"""

from modeler.predict.calibration.fit import (
    Calibration,
    Fitted,
    cross_validated,
    explained,
    predict_measured,
    published,
)
from modeler.predict.calibration.measurements import (
    Measurement,
    MeasurementsError,
    from_rows,
    is_measurements,
    read_measurements,
    shipped,
    unknown_columns,
)
from modeler.predict.calibration.plausible import (
    check_rows,
    far_from_published,
    unknown_systems,
)
from modeler.predict.calibration.steps import Missing

__all__ = [
    "Calibration",
    "Fitted",
    "Measurement",
    "MeasurementsError",
    "Missing",
    "check_rows",
    "cross_validated",
    "explained",
    "far_from_published",
    "from_rows",
    "is_measurements",
    "predict_measured",
    "published",
    "read_measurements",
    "shipped",
    "unknown_columns",
    "unknown_systems",
]
