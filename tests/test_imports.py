"""The rooms import one way; read from the source, so that no import hides in a function."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEIGHBOURS = ("pricing", "traces")
# Each row may import from the rows below it, from itself, and from the neighbours.
FLOORS = (
    ("cli",),
    ("report", "referee", "platforms"),
    ("study",),
    ("measure",),
    ("replay",),
    ("autoscale", "predict"),
    ("scenario",),
)
# Rooms on one floor do not know each other; a room knows everything below.
ALLOWED = {
    room: {room, *(below for floor in FLOORS[level + 1 :] for below in floor)}
    for level, floor in enumerate(FLOORS)
    for room in floor
}


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by full name"
            module = node.module or ""
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value


def rooms() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "modeler").glob("*/__init__.py"))


def test_every_room_has_its_floor() -> None:
    assert set(rooms()) <= ALLOWED.keys()


@pytest.mark.parametrize("room", rooms())
def test_rooms_import_downwards(room: str) -> None:
    wrong = []
    for path in sorted((ROOT / "modeler" / room).rglob("*.py")):
        for line, name in imports_of(path):
            parts = name.split(".")
            if parts[0] != "modeler" or len(parts) < 2 or parts[1] not in ALLOWED:
                continue
            if parts[1] not in ALLOWED[room]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", NEIGHBOURS)
def test_neighbours_stand_alone(package: str) -> None:
    strangers = {"modeler", *NEIGHBOURS} - {package}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in imports_of(path)
        if name.partition(".")[0] in strangers
    ]
    assert not wrong, "\n".join(wrong)


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    source = tmp_path / "room.py"
    source.write_text(
        "def f():\n    from modeler.cli import main\n    import modeler.study.sweep\n"
    )
    names = {name for _, name in imports_of(source)}
    assert {"modeler.cli", "modeler.cli.main", "modeler.study.sweep"} <= names
