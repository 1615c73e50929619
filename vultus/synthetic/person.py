"""Who somebody is: everything that stays when the light, the pose and the camera change."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats
from vultus.synthetic.head import HeadModel
from vultus.synthetic.tone import ita_group, skin_albedo

_ANCESTRIES = ("african", "asian", "caucasian")
_ITA_DEG = {"african": (-38.0, 18.0), "asian": (32.0, 14.0), "caucasian": (46.0, 13.0)}
"""Mean and spread of the individual typology angle (skin lightness); ranges of Chardon et al. 1991."""
_SHAPE_SPREAD = 0.36
"""Standard deviation of a shape target's weight; 0.52 looked like caricatures."""
_SHAPE_LIMIT = 0.85
_QUIET = (
    "asym",
    "trans-backward",
    "trans-forward",
    "head-",
    "neck",
    "nose-trans",
    "eye-trans",
    "ear-",
)
_OPPOSITE_WORDS = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
HAIR_STYLES = ("bald", "buzz", "short", "medium", "long", "curly")


@dataclass(frozen=True)
class Skin:
    """Albedo of the skin: linear RGB of its even part, and what sits on it."""

    albedo: tuple[float, float, float]
    redness: float
    mottle: float
    freckles: float
    wrinkles: float
    lips: tuple[float, float, float]
    moles: tuple[tuple[float, float, float, float], ...]
    gloss: float


@dataclass(frozen=True)
class Hair:
    """Style and colour of scalp hair, brows and beard. Lengths in decimetres."""

    style: str
    colour: tuple[float, float, float]
    thickness: float
    length: float
    hairline: float
    temples: float
    parting: float
    wave: float
    brow_density: float
    brow_height: float
    brow_arch: float
    brow_thickness: float
    beard: float
    moustache: float


@dataclass(frozen=True)
class Glasses:
    """A frame; sizes in decimetres."""

    width: float
    height: float
    roundness: float
    rim: float
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Person:
    """One identity: identity `index` of the world `seed`, whatever else is rendered."""

    seed: int
    index: int
    vertices: Floats
    skin: Skin
    hair: Hair
    iris: tuple[float, float, float]
    glasses: Glasses | None
    attributes: Mapping[str, str]

    @cached_property
    def albedo(self) -> Floats:
        """The painted skin, see `vultus.synthetic.skin.paint`; made once."""
        from vultus.synthetic.skin import paint

        return paint(self)


def make_person(model: HeadModel, seed: int, index: int) -> Person:
    """The person of that number; the same inputs give the same person.

    Args: model: shared head; seed: of the world; index: >= 0.
    """
    rng = np.random.default_rng([seed, index, 1])
    sex = "female" if rng.random() < 0.5 else "male"
    ancestry = _ANCESTRIES[int(rng.integers(3))]
    age = float(rng.beta(1.5, 2.4))
    mix = rng.dirichlet([0.35, 0.35, 0.35]) * 0.35
    mix[_ANCESTRIES.index(ancestry)] += 1 - mix.sum()
    weights = _macro_weights(rng, sex, mix, age) | _shape_weights(model, rng)
    ita_mean, ita_spread = (
        float(mix @ [_ITA_DEG[name][i] for name in _ANCESTRIES]) for i in (0, 1)
    )
    ita = float(np.clip(rng.normal(ita_mean, ita_spread), -62, 64))
    hair = _hair(rng, sex, age, ita)
    glasses = _glasses(rng) if rng.random() < 0.22 else None
    known = {name: weight for name, weight in weights.items() if name in model.asset.targets}
    vertices = _centred(model, model.deform(model.asset.vertices, known))
    return Person(
        seed=seed,
        index=index,
        vertices=vertices,
        skin=_skin(rng, ita, age),
        hair=hair,
        iris=_iris(rng, ita),
        glasses=glasses,
        attributes={
            "sex": sex,
            "ancestry": ancestry,
            "age_group": "young" if age < 0.28 else "middle" if age < 0.6 else "old",
            "skin": ita_group(ita),
            "hair": hair.style,
            "beard": "yes" if max(hair.beard, hair.moustache) > 0.3 else "no",
            "glasses": "yes" if glasses else "no",
        },
    )


def _centred(model: HeadModel, vertices: Floats) -> Floats:
    """Shift the eyes back to the base head's, so that tall and short people fill the frame alike."""
    shift = model.eyes(model.asset.vertices)[0].mean(0) - model.eyes(vertices)[0].mean(0)
    return np.asarray(vertices + shift, np.float32)


def _macro_weights(
    rng: np.random.Generator, sex: str, ancestries: NDArray[np.float64], age: float
) -> dict[str, float]:
    """MakeHuman's multilinear macro targets: ancestry x sex x age, and build."""
    dominance = float(rng.uniform(0.75, 1.0))
    sexes = {sex: dominance, "male" if sex == "female" else "female": 1 - dominance}
    ages = {"young": 1 - age, "old": age}
    muscle = _between(float(rng.uniform(0.2, 0.8)), ("minmuscle", "averagemuscle", "maxmuscle"))
    weight = _between(float(rng.beta(2.2, 2.6)), ("minweight", "averageweight", "maxweight"))
    weights = {
        f"{name}-{s}-{a}": float(share) * sexes[s] * ages[a]
        for (name, share), s, a in product(zip(_ANCESTRIES, ancestries, strict=True), sexes, ages)
    }
    for s, a, m, w in product(sexes, ages, muscle, weight):
        weights[f"universal-{s}-{a}-{m}-{w}"] = sexes[s] * ages[a] * muscle[m] * weight[w]
    return weights


def _between(position: float, names: tuple[str, str, str]) -> dict[str, float]:
    """Linear weights of three stops at 0, 0.5 and 1."""
    low = max(0.0, 1 - 2 * position)
    high = max(0.0, 2 * position - 1)
    return {names[0]: low, names[1]: 1 - low - high, names[2]: high}


def _shape_weights(model: HeadModel, rng: np.random.Generator) -> dict[str, float]:
    """One normal number a pair of opposite targets; left and right nearly alike."""
    weights: dict[str, float] = {}
    for low, high in _opposites(tuple(model.asset.targets)):
        spread = _SHAPE_SPREAD * (0.45 if any(word in low for word in _QUIET) else 1.0)
        value = float(np.clip(rng.normal(0, spread), -_SHAPE_LIMIT, _SHAPE_LIMIT))
        if low.startswith(("l-", "r-")):
            tilt = float(rng.normal(0, 0.06))
            weights["l-" + (high if value > 0 else low)[2:]] = abs(value) + tilt
            weights["r-" + (high if value > 0 else low)[2:]] = abs(value) - tilt
        else:
            weights[high if value > 0 else low] = abs(value)
    return weights


def _opposites(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of targets that undo each other; of left and right pairs only the left one."""
    known = set(names)
    pairs = []
    for name in sorted(known):
        stem, _, last = name.rpartition("-")
        for low, high in _OPPOSITE_WORDS:
            other = f"{stem}-{high}"
            if last == low and other in known and not name.startswith("r-") and stem != "head-age":
                pairs.append((name, other))
    return pairs


def _skin(rng: np.random.Generator, ita: float, age: float) -> Skin:
    albedo = skin_albedo(ita, float(rng.normal(0, 1)), float(rng.normal(0, 1)))
    count = int(rng.poisson(2.2))
    moles = [
        (float(rng.uniform(-0.9, 0.9)), float(rng.uniform(6.35, 7.75)), float(rng.uniform(0.008, 0.022)),
         float(rng.uniform(0.3, 0.75)))
        for _ in range(count)
    ]  # fmt: skip
    red = float(rng.uniform(0.05, 0.2)) * (0.35 + 0.65 * min(max((ita + 30) / 80, 0), 1))
    lip_mix = float(rng.uniform(0.35, 0.75))
    lip = np.array(albedo) * [0.95 - 0.1 * lip_mix, 0.75 - 0.25 * lip_mix, 0.8 - 0.25 * lip_mix]
    return Skin(
        albedo=albedo,
        redness=red,
        mottle=float(rng.uniform(0.03, 0.1)),
        freckles=float(max(0.0, rng.normal(-0.2, 0.45))) if ita > 25 else 0.0,
        wrinkles=age,
        lips=(float(lip[0]), float(lip[1]), float(lip[2])),
        moles=tuple(moles),
        gloss=float(rng.uniform(0.15, 0.5)),
    )


def _hair(rng: np.random.Generator, sex: str, age: float, ita: float) -> Hair:
    odds = {
        "female": [0.01, 0.02, 0.14, 0.27, 0.44, 0.12],
        "male": [0.13, 0.2, 0.38, 0.14, 0.04, 0.11],
    }[sex]
    style = HAIR_STYLES[int(rng.choice(6, p=odds))]
    thickness = {
        "bald": 0.0,
        "buzz": 0.035,
        "short": 0.13,
        "medium": 0.22,
        "long": 0.2,
        "curly": 0.42,
    }
    grey = float(np.clip((age - 0.45) * 2.2 + rng.normal(0, 0.15), 0, 1))
    dark = np.array([0.012, 0.009, 0.007])
    tones = np.array(
        [[0.05, 0.025, 0.012], [0.16, 0.085, 0.035], [0.38, 0.26, 0.12], [0.2, 0.055, 0.02]]
    )
    tone = tones[int(rng.choice(4, p=[0.45, 0.25, 0.2, 0.1]))] if ita > 38 else dark
    colour = (dark + rng.uniform(0, 1) * (tone - dark)) * (1 - grey) + grey * np.array(
        [0.42, 0.42, 0.43]
    )
    bearded = sex == "male" and rng.random() < 0.5
    return Hair(
        style=style,
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        thickness=thickness[style] * float(rng.uniform(0.75, 1.3)),
        length=float(rng.uniform(0.9, 2.4)) if style == "long" else float(rng.uniform(0.2, 0.7)),
        hairline=float(rng.normal(0, 0.05)) + (0.12 * age if sex == "male" else 0),
        temples=float(abs(rng.normal(0, 0.06))) + (0.16 * age if sex == "male" else 0),
        parting=float(rng.uniform(-0.5, 0.5)),
        wave=float(rng.uniform(0, 1)),
        brow_density=float(rng.uniform(0.45, 1.0)),
        brow_height=float(rng.normal(0, 0.03)),
        brow_arch=float(rng.uniform(0.0, 0.09)),
        brow_thickness=float(rng.uniform(0.035, 0.085)) * (1.0 if sex == "male" else 0.75),
        beard=float(rng.uniform(0.25, 1.0)) if bearded and rng.random() < 0.7 else 0.0,
        moustache=float(rng.uniform(0.3, 1.0)) if bearded else 0.0,
    )


def _iris(rng: np.random.Generator, ita: float) -> tuple[float, float, float]:
    browns = np.array([[0.06, 0.03, 0.014], [0.03, 0.016, 0.01], [0.11, 0.06, 0.025]])
    lights = np.array([[0.1, 0.16, 0.24], [0.1, 0.15, 0.1], [0.18, 0.2, 0.2]])
    table = lights if ita > 36 and rng.random() < 0.5 else browns
    r, g, b = table[int(rng.integers(3))] * rng.uniform(0.8, 1.25, 3)
    return float(r), float(g), float(b)


def _glasses(rng: np.random.Generator) -> Glasses:
    dark = rng.random() < 0.65
    tone = rng.uniform(0.005, 0.03, 3) if dark else rng.uniform(0.05, 0.45, 3)
    return Glasses(
        width=float(rng.uniform(0.24, 0.29)),
        height=float(rng.uniform(0.17, 0.25)),
        roundness=float(rng.uniform(2.0, 5.0)),
        rim=float(rng.uniform(0.012, 0.04)),
        colour=(float(tone[0]), float(tone[1]), float(tone[2])),
    )
