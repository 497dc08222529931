"""Refuse to run beside a foreign ``pricing`` or ``traces``.

All three names exist on the public package index, and ``traces`` there is an established
time-series library. Started from another folder, Python may find that one first and silently;
its numbers would then be somebody else's. So the places are compared before anything is read.
"""

from importlib.util import find_spec
from pathlib import Path

NEIGHBOURS = ("pricing", "traces")


def check_neighbours(package_dir: Path | None = None) -> None:
    """Raise unless ``pricing`` and ``traces`` lie beside ``modeler``.

    Parameters
    ----------
    package_dir : Path, optional. Where ``modeler`` lives; by default where this file lies.

    Raises
    ------
    ImportError
        Naming where the foreign package was found and what to do about it.
    """
    home = (package_dir or Path(__file__).parent).resolve().parent
    for name in NEIGHBOURS:
        found = _found_at(name)
        wanted = home / name
        if found == wanted:
            continue
        where = f"was found at {found}" if found else "was not found at all"
        raise ImportError(
            f"modeler needs its own package {name!r} from {wanted}, but {name!r} {where}. "
            f"Cure: install coldstart-modeler in a virtual environment of its own "
            f"(`pip uninstall {name}` if another distribution brought it), or start Python from "
            f"{home}, and import modeler before {name}.",
            name=name,
            path=str(found) if found else None,
        )


def _found_at(name: str) -> Path | None:
    """Folder (or file) from which ``import name`` would load, or None."""
    try:
        spec = find_spec(name)
    except ValueError:  # already imported, by something that left no spec behind
        return None
    if spec is None:
        return None
    if spec.origin is not None and spec.has_location:
        origin = Path(spec.origin).resolve()
        return origin.parent if origin.name == "__init__.py" else origin
    # A folder without __init__.py: a namespace package, which loses to anything else.
    places = list(spec.submodule_search_locations or [])
    return Path(places[0]).resolve() / "(no __init__.py)" if places else None
