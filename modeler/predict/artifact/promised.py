"""What a file's suffix promises, and what is said where its content is something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes

_SHOWN: Final = 8  # first bytes that a message shows


@dataclass(frozen=True)
class Promise:
    """Suffixes that name one format.

    Parameters
    ----------
    suffixes : tuple of str. In lower case.
    expected : str. The format and how its files begin, for a message.
    formats : tuple of str. What `recognise.read` may find under such a name.
    """

    suffixes: tuple[str, ...]
    expected: str
    formats: tuple[str, ...]


# Suffixes that say nothing firm (.bin, .txt, .model, .pb) are not here. Signatures: zip PK\3\4,
# gzip 1f 8b, HDF5 \x89HDF\r\n\x1a\n, FlatBuffers identifier TFL3 of TensorFlow Lite, MessagePack
# maps 80-8f, de and df, the magic numbers of llama.cpp's files before GGUF.
_PROMISES: Final = (
    Promise(
        (".safetensors",),
        'safetensors, which is eight bytes of a header\'s length and then "{"',
        ("safetensors",),
    ),
    Promise((".gguf",), 'GGUF, which begins "GGUF"', ("gguf",)),
    Promise((".ggml",), "GGML, which begins with one of its magic numbers", ("ggml", "gguf")),
    Promise(
        (".pt", ".pth", ".ckpt"),
        'PyTorch, which is a zip ("PK") of data.pkl and storages, or a pickle (80 02)',
        ("torch", "pickle", "tar"),
    ),
    Promise((".npz",), 'npz, which is a zip ("PK") of .npy arrays', ("npz",)),
    Promise((".npy",), "npy, which begins 93 and NUMPY", ("npy",)),
    Promise((".onnx",), "ONNX, which begins 08 and its version", ("onnx",)),
    Promise((".keras",), 'Keras, which is a zip ("PK") of config.json and weights', ("keras",)),
    Promise((".h5", ".hdf5"), "HDF5, which begins 89 and HDF", ("hdf5",)),
    Promise((".tflite",), "TensorFlow Lite, whose bytes 5 to 8 are TFL3", ("tflite",)),
    Promise((".msgpack",), "MessagePack of a map, which begins 80 to 8f, de or df", ("msgpack",)),
    Promise((".ubj",), 'UBJSON of XGBoost, which begins "{" and holds a learner',
            ("xgboost ubj",)),
    Promise((".pkl", ".pickle"), "a pickle, which begins 80 and its protocol",
            ("pickle", "joblib")),
    Promise((".joblib",), "joblib, which is a pickle (80 and its protocol), plain or compressed",
            ("pickle", "joblib")),
    Promise((".tar.gz", ".tgz"), "a tar packed by gzip, which begins 1f 8b", ("tar.gz",)),
    Promise((".tar",), 'a tar, whose bytes 258 to 262 are "ustar"', ("tar",)),
    Promise((".zip",), 'a zip, which begins "PK"', ("zip", "torch", "npz", "keras")),
)  # fmt: skip
SUFFIXES: Final = tuple(suffix for promise in _PROMISES for suffix in promise.suffixes)


def promise_of(name: str) -> Promise | None:
    """What a name promises; None where its suffix says nothing firm."""
    low = name.lower()
    return next((each for each in _PROMISES if low.endswith(each.suffixes)), None)


def broken(source: Bytes, promise: Promise, head: bytes, found: str | None) -> ArtifactError:
    """The refusal of a file that is not what its suffix promises."""
    suffix = next(each for each in promise.suffixes if source.name.lower().endswith(each))
    what = f"it is {found}; " if found else ""
    begins = f"its first bytes are {shown(head)}" if head else "it is empty"
    return ArtifactError(
        source.name, f"expected {promise.expected}, by its suffix {suffix}; {what}{begins}"
    )


def shown(head: bytes) -> str:
    """First bytes as hexadecimal and as text.

    >>> shown(b"PK\\x03\\x04rest of it")
    '50 4b 03 04 72 65 73 74 (PK..rest)'
    """
    some = head[:_SHOWN]
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in some)
    return f"{some.hex(' ')} ({text})"
