"""Tests see the shipped prices, never a user's own, and keep their runs apart from a user's."""

import gc
import os
import shutil
import tempfile
from functools import cache

import pytest
from botocore.loaders import JSONFileLoader

os.environ["MODELER_PRICES"] = ""


@pytest.fixture(scope="session", autouse=True)
def _runs_of_the_tests():
    folder = tempfile.mkdtemp(prefix="modeler-runs-")
    os.environ["MODELER_RUNS"] = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_finish():
    # Four hundred thousand objects that stay until the end: not to be gone through at each
    # collection of garbage.
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _descriptions_of_aws_are_parsed_once():
    """Each session of boto3 parses megabytes that describe the services; here they are shared."""
    load = JSONFileLoader.load_file

    @cache
    def parsed(path):
        return load(JSONFileLoader(), path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: parsed(path))
        yield
