"""Price lists as their providers publish them, read into rows of the tables. Nothing is fetched.

Reading guide: ``read.py`` recognises what a file is; ``aws.py``, ``spot.py``, ``savings.py``,
``azure.py`` and ``gcp.py`` each read one source; ``checks.py`` judges what they gave against the
tables in force; ``stream.py`` reads JSON of any size. Every item of a file is taken, or counted
under the reason why it was not.
"""

from pricing.offers.checks import FACTOR, check
from pricing.offers.offer import Offer, Tally
from pricing.offers.read import Reading, read_offers, read_replies

__all__ = ["FACTOR", "Offer", "Reading", "Tally", "check", "read_offers", "read_replies"]
