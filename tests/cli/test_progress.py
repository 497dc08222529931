"""What is said while the engine is imported: that it is compiled only where it is."""

import os
import time

from modeler._cache import compiles


def test_the_engine_is_said_to_compile_only_where_it_does(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "none"))
    now = time.time()
    assert compiles(now)  # nothing is kept yet
    kept = tmp_path / "none" / "replay" / "pool.put-81.py311.nbi"
    kept.parent.mkdir(parents=True)
    kept.touch()
    os.utime(kept, (now - 60.0, now - 60.0))
    assert not compiles(now)
    os.utime(kept, (now + 2.0, now + 2.0))
    assert compiles(now)
