"""A region as people write it, in words or by its code, becomes the code of the tables."""

from functools import lru_cache
from re import fullmatch

from pricing import tables


def region_code(said: str, provider: str = "aws") -> str:
    """The code of a region that may be written in words.

    Parameters
    ----------
    said : str. ``eu-west-1``, ``Europe (Ireland)``, ``EU (Ireland)`` as bills have it, ``Ireland``;
        of Azure ``East US 2``; of any ``Iowa (us-central1)``. Case and accents do not matter.
    provider : str. ``aws``, ``gcp`` or ``azure``.

    Returns
    -------
    str
        The code; what is not known in words as it was written, for others to refuse.

    >>> region_code("US East (N. Virginia)"), region_code("east us 2", "azure")
    ('us-east-1', 'eastus2')
    """
    plain = _plain(said)
    in_brackets = fullmatch(r".*\(([a-z]+(?:-[a-z]+)*-?\d*)\)", plain)
    if in_brackets and any(sign.isdigit() for sign in in_brackets[1]):
        return in_brackets[1]
    if provider == "azure":
        return plain.replace(" ", "")
    if provider == "aws":
        return _names().get(plain, plain if plain in tables.region_names() else said)
    return plain if plain != said and " " not in plain else said


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Codes by name: in full, as bills write it, and by the place alone where only one has it."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for code, name in tables.region_names().items():
        whole = _plain(name)
        found[whole] = code
        found[whole.replace("europe", "eu")] = code
        place = fullmatch(r".*\((.+)\)", whole)
        if place is None:
            continue
        for one in {place[1], place[1].removeprefix("n. ")}:
            if one in found:
                twice.add(one)
            found[one] = code
    return {name: code for name, code in found.items() if name not in twice}


def _plain(text: str) -> str:
    """Lower case, single spaces and no accents, so that spellings of one name agree."""
    accents = str.maketrans("ãáéíóúü", "aaeiouu")
    return " ".join(text.lower().split()).translate(accents)
