"""One item's share of the count, 1 / (size of its identity), from a few answered pairs.

The number of identities is the sum over items of 1 / c, c the size of the item's identity. Putting an *estimate* of c
into 1 / c is biased upward (Jensen); badly so for small identities: a pair whose other half is asked for half of the
time would count .67 instead of .5. Here 1 / c is written as the integral of x^(c-1) over [0, 1]. The matches come in
units that were asked with a known probability p each, independently, and

    x^m  is the mean of  1 + (x^m - 1) * asked / p

so the product over units estimates x^(c-1) without bias, whatever p, and the integral of the product is a sum of
fractions that is written down exactly. A unit that is always asked (p = 1) adds no variance.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_TERMS = 12  # uncertain units with matches; 2 ** 12 terms


def inverse_size(certain: float, found: Sequence[tuple[float, float]] = ()) -> float:
    """Estimate 1 / c without bias.

    Args:
        sure: the item itself and its matches in units that are always asked, 1 or more.
        found: (number of matches, probability that the unit is asked) of every uncertain unit that was asked and has
            matches. Units without matches don't matter.

    Returns:
        The estimate; its mean over the asking is 1 / c. It may lie outside [0, 1].

    Example:
        ``inverse_size(1, [(1, .5)])`` is 0.0 and ``inverse_size(1)`` is 1.0: a pair whose other half is asked for half
        of the time gives the mean .5.
    """
    terms: dict[float, float] = {float(certain): 1.0}
    # The likeliest first: beyond MAX_TERMS a unit counts as always asked, which bounds the work.
    for place, (matches, probability) in enumerate(sorted(found, key=lambda unit: unit[1])):
        p = probability if place < MAX_TERMS else 1.0
        grown: dict[float, float] = {}
        for power, weight in terms.items():
            grown[power] = grown.get(power, 0.0) + weight * (1 - 1 / p)
            grown[power + matches] = grown.get(power + matches, 0.0) + weight / p
        terms = grown
    return sum(weight / power for power, weight in terms.items())
