"""Price lists as their providers publish them, read into rows of the tables. Nothing is fetched.

Reading guide: ``read.py`` recognises what a file is; ``aws.py``, ``spot.py``, ``savings.py``,
``azure.py`` and ``gcp.py`` each read one source; ``checks.py`` judges what they gave against the
tables in force; ``store.py`` sets them beside those and writes them into tables of one's own;
``stream.py`` reads JSON of any size. Every item of a file is taken, or counted
under the reason why it was not.
"""

from pricing.offers.checks import FACTOR, check
from pricing.offers.offer import Offer, Tally
from pricing.offers.read import Reading, read_offers, read_replies
from pricing.offers.store import Difference, apply, differences, restore

__all__ = [
    "FACTOR",
    "Difference",
    "Offer",
    "Reading",
    "Tally",
    "apply",
    "check",
    "differences",
    "read_offers",
    "read_replies",
    "restore",
]
