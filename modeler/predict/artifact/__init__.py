"""What an artifact holds, read from its headers without loading it.

Where to read first: `recognise.py`, then the reader of a format; `bytes_source.py` says how little
of a file is read, here or in S3.
"""

from modeler.predict.artifact.bytes_source import (
    ArtifactError,
    Bytes,
    LocalBytes,
    S3Bytes,
    Traffic,
)
from modeler.predict.artifact.contents import Contents
from modeler.predict.artifact.recognise import read, read_all

__all__ = [
    "ArtifactError",
    "Bytes",
    "Contents",
    "LocalBytes",
    "S3Bytes",
    "Traffic",
    "read",
    "read_all",
]
