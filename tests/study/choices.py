"""A small choice that the tests change, read from files and decided."""

import json

from modeler.study.choice_file import Choice, read_choice
from modeler.study.choose import choose


def choice(**changed):
    content = {
        "schema": "choice/1", "name": "n", "requests_per_second": 10.0,
        "variants": [
            {"name": "small", "size": "10MB", "latency_s": 0.02, "accuracy": 90, "source": "s"},
            {"name": "large", "size": "80MB", "latency_s": 0.2, "accuracy": 96, "source": "s",
             "parameters": 1e7, "training_tokens": 1e9},
            {"name": "unknown", "size": "20MB", "latency_s": 0.05, "source": "s"},
        ],
        "places": [
            {"name": "phone", "kind": "device", "memory": "100MB", "watts": 3, "source": "s"},
            {"name": "cloud", "kind": "cloud", "instance": "g4dn.xlarge", "speed": 4,
             "round_trip_s": 0.1, "utilisation": 0.5, "source": "s"},
            {"name": "nightly", "kind": "batch", "instance": "g4dn.xlarge", "speed": 4,
             "deadline_s": 86400, "start_s": 600, "source": "s"},
        ],
        "worlds": [{"name": "w"}],
    }  # fmt: skip
    return Choice.model_validate(content | changed)


def pairs_of(found):
    (decision,) = choose(found)
    return {(p.variant, p.place): p for p in decision.pairs}, decision


def read(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return read_choice(path)


def filled(tmp_path, *variants, **changed):
    content = choice(**changed).model_dump(by_alias=True, mode="json")
    return read(tmp_path, content | {"variants": list(variants)})
