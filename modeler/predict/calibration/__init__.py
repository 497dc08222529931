"""Constants of a start from measurements, and how far they predict measurements they did not see.

Where to read first: `steps.py` (which law a row tells of), then `fit.py`; `totals.py` makes a whole
start of its phases; `places.py` and `settings.py` say which settings of which hosting that is;
`measurements.csv` holds what was published.
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
from modeler.predict.calibration.steps import Missing

__all__ = [
    "Calibration",
    "Fitted",
    "Measurement",
    "MeasurementsError",
    "Missing",
    "cross_validated",
    "explained",
    "from_rows",
    "is_measurements",
    "predict_measured",
    "published",
    "read_measurements",
    "shipped",
    "unknown_columns",
]
