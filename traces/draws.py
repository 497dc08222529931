"""Random numbers that depend on (seed, stream, ordinal) and on nothing else.

Draw number k of a stream is a hash of its key and k: any slice can be drawn alone, in any order,
on any machine, with the same bits. NumPy's generators promise that for their raw bits only, and
change their distributions between versions; so the distributions here are ours.

Sources
-------
The hash is the output function of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014), whose state is a counter times the odd constant
`GOLDEN`. The inverse normal is algorithm AS 241, PPND16 (Wichura, Applied Statistics 37(3), 1988,
pp. 477-484), good to about one part in 10^16.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bits = NDArray[np.uint64]

GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
# Draws are made in pieces that stay in cache: several times faster than one long pass.
_PIECE: Final = 1 << 14


def mix(values: Bits) -> Bits:
    """Hash 64-bit words: the finaliser of SplitMix64.

    Parameters
    ----------
    values : array of uint64. Words to hash; left as they are.
    """
    z = values ^ (values >> np.uint64(30))
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def stream_key(seed: int, stream: str) -> np.uint64:
    """Key of a stream of draws.

    Parameters
    ----------
    seed : int. Any integer; taken modulo 2^64.
    stream : str. Name of the stream; two names give independent streams.

    Returns
    -------
    numpy.uint64
        The hashed seed, combined with 64 bits of BLAKE2b of the name, hashed once more: so that
        neighbouring seeds have unrelated keys.
    """
    name = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little")
    hashed = int(mix(np.array([seed & _MASK], dtype=np.uint64))[0])
    return np.uint64(mix(np.array([hashed ^ name], dtype=np.uint64))[0])


def bits(key: np.uint64, first: int, count: int) -> Bits:
    """Words number `first` to ``first + count - 1`` of a key.

    Parameters
    ----------
    key : numpy.uint64. From `stream_key`.
    first : int. Ordinal of the first word, from 0.
    count : int. How many.
    """
    step = np.arange(count, dtype=np.uint64)
    step *= np.uint64(GOLDEN)
    step += np.uint64((int(key) + (first + 1) * GOLDEN) & _MASK)
    return mix(step)


def uniform(seed: int, stream: str, first: int, count: int) -> Floats:
    """Uniform draws in the open interval (0, 1).

    Parameters
    ----------
    seed : int. Seed of the run.
    stream : str. Name of the stream.
    first : int. Ordinal of the first draw, from 0.
    count : int. How many.

    Returns
    -------
    array of float64
        The upper 53 bits of each word, centred in their step: never 0, never 1.
    """
    key = stream_key(seed, stream)
    drawn = np.empty(count)
    for start in range(0, count, _PIECE):
        size = min(_PIECE, count - start)
        words = bits(key, first + start, size) >> np.uint64(11)
        piece = drawn[start : start + size]
        np.add(words, 0.5, out=piece)
        piece *= 2.0**-53
    # The last of the 2^53 steps rounds up to 1.0.
    np.minimum(drawn, 1.0 - 2.0**-53, out=drawn)
    return drawn


def exponential(seed: int, stream: str, first: int, count: int) -> Floats:
    """Exponential draws of mean 1: minus the logarithm of `uniform`, same ordinals."""
    drawn = uniform(seed, stream, first, count)
    np.log(drawn, out=drawn)
    return np.negative(drawn, out=drawn)


def normal(seed: int, stream: str, first: int, count: int) -> Floats:
    """Standard normal draws: the inverse normal of `uniform`, same ordinals."""
    drawn = uniform(seed, stream, first, count)
    for start in range(0, count, _PIECE):
        drawn[start : start + _PIECE] = inverse_normal(drawn[start : start + _PIECE])
    return drawn


def inverse_normal(p: Floats) -> Floats:
    """Quantile of the standard normal distribution.

    Parameters
    ----------
    p : array of float64. Probabilities, strictly between 0 and 1.

    Returns
    -------
    array of float64
        z with P(Z <= z) = p; AS 241, PPND16.
    """
    p = np.asarray(p, dtype=np.float64)
    q = p - 0.5
    centre = 0.180625 - q * q
    z = q * _ratio(_CENTRE, np.maximum(centre, 0.0))
    outer = np.flatnonzero(centre < 0.0)
    if outer.size:
        tail = np.sqrt(-np.log(np.minimum(p[outer], 1.0 - p[outer])))
        far = tail > 5.0
        size = np.where(
            far,
            _ratio(_FAR, np.where(far, tail - 5.0, 0.0)),
            _ratio(_NEAR, np.where(far, 0.0, tail - 1.6)),
        )
        z[outer] = np.copysign(size, q[outer])
    return z


def _ratio(table: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    """Quotient of two polynomials, coefficients from the highest power down."""
    above, below = (np.full_like(x, terms[0]) for terms in table)
    for value, terms in zip((above, below), table, strict=True):
        for term in terms[1:]:
            value *= x
            value += term
    above /= below
    return above


# Coefficients of PPND16: numerator and denominator for |p - 0.5| <= 0.425, then for the tails
# with r = sqrt(-log(min(p, 1 - p))), less 1.6 up to r = 5 and less 5 beyond.
_CENTRE: Final = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.387132872796366608,
    ),
    (
        5226.495278852854561,
        28729.085735721942674,
        39307.89580009271061,
        21213.794301586595867,
        5394.1960214247511077,
        687.1870074920579083,
        42.313330701600911252,
        1.0,
    ),
)
_NEAR: Final = (
    (
        7.7454501427834140764e-4,
        0.0227238449892691845833,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.7694972214606914055,
        4.6303378461565452959,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        0.0151986665636164571966,
        0.14810397642748007459,
        0.68976733498510000455,
        1.6763848301838038494,
        2.05319162663775882187,
        1.0,
    ),
)
_FAR: Final = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        0.0012426609473880784386,
        0.026532189526576123093,
        0.29656057182850489123,
        1.7848265399172913358,
        5.4637849111641143699,
        6.6579046435011037772,
    ),
    (
        2.04426310338993978564e-15,
        1.4215117583164458887e-7,
        1.8463183175100546818e-5,
        7.868691311456132591e-4,
        0.0148753612908506148525,
        0.13692988092273580531,
        0.59983220655588793769,
        1.0,
    ),
)
