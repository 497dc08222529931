"""Tests see the shipped prices, never those that refresh put into a user's folder."""

import os

os.environ["MODELER_PRICES"] = ""
