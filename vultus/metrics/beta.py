"""The beta distribution, as far as intervals of a share need it."""

import math

_MOST = 100_000
_TINY = 1e-300


def beta_quantile(chance: float, a: float, b: float) -> float:
    """Where the beta distribution reaches `chance`; a, b >= 1, 0 < chance < 1.

    Newton's steps, kept inside an interval that shrinks.
    """
    log_scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    low, high = 0.0, 1.0
    point = a / (a + b)
    for _ in range(200):
        gap = beta_cdf(point, a, b) - chance
        low, high = (low, point) if gap > 0 else (point, high)
        log_density = log_scale + (a - 1) * math.log(point) + (b - 1) * math.log1p(-point)
        move = gap / max(math.exp(log_density), _TINY)
        tried = point - move
        if not low < tried < high:
            tried = (low + high) / 2
        if abs(tried - point) <= 1e-15 * point or tried in (low, high):
            return tried
        point = tried
    return point


def beta_cdf(share: float, a: float, b: float) -> float:
    """Chance of at most `share`: the regularised incomplete beta function.

    Source: its continued fraction, DLMF 8.17.22, evaluated by Lentz's method.
    """
    if share <= 0 or share >= 1:
        return 0.0 if share <= 0 else 1.0
    if share > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - share, b, a)
    log_front = (
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(share)
        + b * math.log1p(-share)
    )
    return math.exp(log_front) * _fraction(share, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    numerator, denominator = 1.0, 1 / _kept(1 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, _MOST):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _kept(1 + term * denominator)
            numerator = _kept(1 + term / numerator)
            value *= denominator * numerator
        if abs(denominator * numerator - 1) < 1e-15:
            break
    return value


def _kept(value: float) -> float:
    """Away from nought, which may not be divided by."""
    return value if abs(value) > _TINY else _TINY
