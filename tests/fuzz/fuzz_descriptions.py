"""Mutations of valid descriptions: ``python tests/fuzz/fuzz_descriptions.py [COUNT] [SEED]``.

Not part of the suite, which runs some hundreds of the same mutations. Anything but a count, nothing
or an `ArchitectureError` of one file is a find, and so is a call of more than a second or of more
than 100 MB; the description that did it is printed.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2]))

from modeler.predict import SizeError, measure_size  # noqa: E402
from modeler.predict.architecture import ArchitectureError  # noqa: E402

MOST_SECONDS = 1.0
MOST_BYTES = 100_000_000
VALID: tuple[Any, ...] = (
    {"type": "mlp", "layers": [57, 512, 3], "bias": True, "norm": "batch"},
    {"layers": [57, 512, 3]},
    [57, 512, 3],
    {"type": "dense", "in": 64, "out": 8, "density": 0.25, "storage": "2:4"},
    {"type": "dense", "in": 64, "out": 8, "density": 0.1, "storage": "csr", "index_bytes": 8},
    {"type": "lstm", "input": 80, "hidden": 512, "layers": 2, "proj_size": 128, "vocab": 9},
    {"type": "gru", "input": 40, "hidden": 256, "bidirectional": True, "framework": "keras"},
    {"type": "conv2d", "channels": [3, 64, 128], "kernel": [3, 3], "fc": [128, 10]},
    {"type": "conv1d", "conv": [[8, 16, 3], [16, 32, 3]], "classes": 4, "groups": 2},
    {"type": "embedding+mlp", "tables": [[1000, 16], [500, 8]], "mlp": [24, 8, 1]},
    {"type": "transformer_decoder", "d_model": 64, "heads": 4, "kv_heads": 2, "layers": 3,
     "vocab": 1000, "tied": False, "gated": True, "rms_norm": True, "precision": "bf16"},
    {"type": "mla", "d_model": 64, "heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16,
     "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 8},
    {"type": "moe", "d_model": 64, "d_ff": 128, "experts": 8, "per_token": 2},
    {"layers": [{"type": "conv", "in": 3, "out": 8}, {"type": "group_norm", "channels": 8},
                {"type": "rms_norm", "width": 8}, {"type": "linear", "in": 8, "out": 2}],
     "precision": "fp16"},
    {"lib": "xgboost 3.2", "cls": "XGBClassifier", "n_features": 30, "n_classes": 3,
     "n_train": 1000, "params": {"n_estimators": 200, "max_depth": 6, "learning_rate": 0.1}},
    {"lib": "lightgbm", "n_features": 30, "params": {"num_leaves": 31, "max_depth": -1}},
    {"lib": "sklearn", "cls": "RandomForestRegressor", "n_train": 100, "total_nodes": 1990,
     "total_leaves": 1000, "n_trees": 10, "params": {"min_samples_leaf": 1}},
    {"lib": "sklearn", "cls": "LogisticRegression", "n_features": 30, "n_classes": 3},
    {"lib": "sklearn", "cls": "SVC", "n_features": 30, "n_support": 99},
    {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
     "num_attention_heads": 4, "vocab_size": 100},
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 10**6, 10**12, 10**30, 10**400, -(10**30), 0.5, 1e308, 2.0,
    float("nan"), float("inf"), "", "mlp", "x" * 2000, "fp99", "csr", [], {}, [[]], [1, 2, 3], [0],
    [True], {"type": "mlp"}, {"a": {"b": {}}}, [[1, 2]] * 9, [1] * 9999, [5] * 20_000, "2:4", "é\0",
)  # fmt: skip
DAMAGE: tuple[bytes, ...] = (
    b"", b",", b"]", b"\xff", b"\0", b"&a", b"*a", b"9" * 5000, b"[" * 900,
)  # fmt: skip


def mutated(value: Any, rng: random.Random) -> Any:
    """The same with one change somewhere: of a value, a key, an order, or what is there."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(list(value))
        how = rng.random()
        changed = dict(value)
        if how < 0.1:
            del changed[name]
        elif how < 0.2:
            at = rng.randrange(len(name) + 1)
            changed[name[:at] + rng.choice(["", "s", "_"]) + name[at + 1 :]] = changed.pop(name)
        elif how < 0.3:
            changed[rng.choice(["type", "layers", "lib", "cls", "params", "k", "precision"])] = (
                rng.choice(ODD)
            )
        else:
            changed[name] = mutated(value[name], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value[:at] + value[at + 1 :]
        if rng.random() < 0.2:
            return value * rng.choice([2, 50])
        return [*value[:at], mutated(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def written(value: Any, rng: random.Random) -> tuple[str, bytes]:
    """A name and a text of it, at times damaged."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.9)  # YAML reads JSON as well
    name = rng.choice(["net.json", "net.json", "net.json", "net.yaml", "config.json"])
    content = text.encode("utf-8")
    if name == "net.yaml" and len(content) > 20_000:
        name = "net.json"
    if rng.random() < 0.15 and content:
        at = rng.randrange(len(content))
        damage = rng.choice(
            [b"", b",", b"]", b"\xff", b"\0", b"&a", b"*a", b"9" * 5000, b"[" * 900]
        )
        content = content[:at] + damage + content[at + rng.randrange(3) :]
    return name, content


def tried(folder: Path, name: str, content: bytes, most_seconds: float = math.inf) -> str:
    """How one description ended; raises on a find.

    The test-suite sets no time, for other processes share its machine.
    """
    path = folder / name
    path.write_bytes(content)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    began = time.process_time()
    try:
        report = measure_size(path).to_dict()
        json.dumps(report)
        assert int(str(report["parameters"])) >= 0
        ended = "counted"
    except (ArchitectureError, SizeError) as error:
        said = str(error)
        assert said.startswith(str(path)), said
        assert len(said) < 20_000, f"a message of {len(said):,} characters"
        ended = "refused"
    spent = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1] - before
    assert spent < most_seconds, f"{spent:.1f} s"
    assert peak < MOST_BYTES, f"{peak:,} bytes"
    return ended


def run(count: int, seed: int, most_seconds: float = math.inf) -> dict[str, int]:
    """So many mutations; how they ended."""
    rng = random.Random(seed)
    ends: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        for value in VALID:  # imports and prices are loaded on the first use
            path = Path(name, "warm.json")
            path.write_text(json.dumps(value), encoding="utf-8")
            measure_size(path).to_dict()
        for _ in range(count):
            value = rng.choice(VALID)
            for _ in range(rng.choice([0, 1, 1, 2, 3])):
                value = mutated(value, rng)
            file, content = written(value, rng)
            try:
                end = tried(Path(name), file, content, most_seconds)
            except Exception:
                print(file, content[:2000], file=sys.stderr)
                raise
            ends[end] = ends.get(end, 0) + 1
    return ends


if __name__ == "__main__":
    tracemalloc.start()
    arguments = [int(each) for each in sys.argv[1:]] + [20_000, 0][len(sys.argv) - 1 :]
    print(run(arguments[0], arguments[1], MOST_SECONDS))
