"""What happened to a picture before: another camera took it, another light fell on the face.

What an attacker shows was photographed once, sent, scaled and saved; so were many bona fide pictures.
Where only attacks have been through it, a network learns "saved twice" for "attack".
"""

from typing import Any

import cv2
import numpy as np

from vultus.attacks.camera import Linear, linear_of, recapture, sample_recapture_camera
from vultus.attacks.view import glare

_SMALLEST = 0.45


def first_capture(scene: Linear, rng: np.random.Generator) -> tuple[Linear, dict[str, Any]]:
    """Photographed, perhaps scaled down, saved, and unpacked at the old size.

    Args: scene: linear float32 [H, W, 3]. Returns: the same shape, and the facts.
    """
    camera = sample_recapture_camera(rng)
    taken = linear_of(recapture(scene, camera, rng))
    scale = float(rng.uniform(_SMALLEST, 1.0)) if rng.random() < 0.5 else 1.0
    height, width = scene.shape[:2]
    if scale < 1:
        size = (max(8, round(width * scale)), max(8, round(height * scale)))
        taken = np.asarray(cv2.resize(taken, size, interpolation=cv2.INTER_AREA), np.float32)
    if taken.shape != scene.shape:
        taken = np.asarray(
            cv2.resize(taken, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )
    return taken, {"camera": camera.to_json(), "scale": scale}


def lit_otherwise(scene: Linear, rng: np.random.Generator) -> tuple[Linear, dict[str, Any]]:
    """Light from one side, of another colour, a veil on the lens, a bright spot: a person has them too.

    Args: scene: linear float32 [H, W, 3]. Returns: the same shape, and the facts.
    """
    facts = {
        "slope": float(rng.uniform(0, 0.5)) if rng.random() < 0.5 else 0.0,
        "warmth": float(rng.normal(0, 0.12)),
        "veil": float(rng.uniform(0.0, 0.05)) if rng.random() < 0.3 else 0.0,
        "glare": float(rng.uniform(0.0, 0.12)) if rng.random() < 0.2 else 0.0,
    }
    height, width = scene.shape[:2]
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    ramp = 1 + np.float32(facts["slope"]) * (x * np.cos(turn) + y * np.sin(turn))
    colour = np.array([1 + facts["warmth"], 1.0, 1 - facts["warmth"]], np.float32)
    lit = scene * ramp[..., None].astype(np.float32) * colour + np.float32(facts["veil"])
    if facts["glare"]:
        lit = lit + glare(rng, (height, width), facts["glare"])
    return np.asarray(lit, np.float32), facts
