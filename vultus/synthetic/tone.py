"""Skin colour from the individual typology angle (ITA), over the whole human range.

Source: Chardon et al., Skin colour typology and suntanning pathways, 1991.
"""

import math

import numpy as np


def skin_albedo(ita: float, red: float, yellow: float) -> tuple[float, float, float]:
    """Linear RGB of a skin with that typology angle: L* = 50 + b* tan(ITA), CIE 1976 (D65)."""
    b = 17.5 + 1.6 * yellow - 4.5 * max(0.0, -ita / 60) - 2.5 * max(0.0, (ita - 40) / 25)
    lightness = 50 + b * math.tan(math.radians(ita)) * (1.0 if ita > 0 else 0.72)
    a = 11.0 + 1.4 * red - 3.0 * max(0.0, (ita - 45) / 20)
    fy = (float(np.clip(lightness, 22, 80)) + 16) / 116
    xyz = [
        _lab_inverse(fy + a / 500) * 0.9505,
        _lab_inverse(fy),
        _lab_inverse(fy - b / 200) * 1.089,
    ]
    matrix = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    r, g, blue = np.clip(matrix @ xyz, 0.006, 0.95)
    return float(r), float(g), float(blue)


def _lab_inverse(value: float) -> float:
    return value**3 if value > 6 / 29 else 3 * (6 / 29) ** 2 * (value - 4 / 29)


def ita_group(ita: float) -> str:
    """Six groups of Chardon et al. 1991."""
    bounds = ((55, "very_light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"))
    return next((name for low, name in bounds if ita > low), "dark")
