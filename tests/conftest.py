"""Tests see the shipped prices, never a user's own, and keep their runs apart from a user's."""

import os
import shutil
import tempfile

import pytest

os.environ["MODELER_PRICES"] = ""


@pytest.fixture(scope="session", autouse=True)
def _runs_of_the_tests():
    folder = tempfile.mkdtemp(prefix="modeler-runs-")
    os.environ["MODELER_RUNS"] = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)
