"""What must hold of people that do not exist."""

from dataclasses import replace

import numpy as np
import pytest

from support.heads import head_model, rendered
from vultus.synthetic import make_person, make_scene, render, render_clip


def test_the_same_numbers_give_the_same_picture() -> None:
    model = head_model()
    first = render(model, make_person(model, 3, 1), make_scene(3, 1, 0))
    make_person(model, 3, 7)
    again = render(model, make_person(model, 3, 1), make_scene(3, 1, 0))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.landmarks, again.landmarks)


def test_another_number_is_another_person() -> None:
    model = head_model()
    one, two = make_person(model, 3, 1), make_person(model, 3, 2)
    assert np.abs(one.vertices - two.vertices).max() > 0.02
    assert one.skin != two.skin


@pytest.mark.parametrize("person", range(3))
def test_landmarks_lie_in_order_inside_the_box(person: int) -> None:
    made = rendered(person)
    points, box = made.landmarks, made.box
    assert (points >= box[:2]).all()
    assert (points <= box[2:]).all()
    assert points[0, 0] < points[1, 0]
    assert points[3, 0] < points[4, 0]
    assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()


def test_the_base_heads_landmarks_mirror_each_other() -> None:
    model = head_model()
    points = model.landmark_points(model.asset.vertices)
    mirrored = points[[1, 0, 2, 4, 3]] * np.array([-1, 1, 1], np.float32)
    assert points == pytest.approx(mirrored, abs=1e-3)


def test_depth_is_finite_exactly_on_the_person() -> None:
    made = rendered(0)
    assert np.array_equal(np.isfinite(made.depth), made.mask)
    x, y = made.landmarks[2].astype(int)
    assert made.mask[y, x]
    assert 0.1 < made.mask.mean() < 0.9


def test_turning_the_head_moves_the_nose_that_way() -> None:
    model = head_model()
    person, scene = make_person(model, 4, 0), make_scene(4, 0, 0)
    turned = [render(model, person, replace(scene, yaw_deg=yaw)) for yaw in (-25.0, 0.0, 25.0)]
    offsets = [made.landmarks[2, 0] - made.landmarks[:2, 0].mean() for made in turned]
    assert offsets[0] < offsets[1] < offsets[2]


def test_light_from_the_right_brightens_the_right_cheek() -> None:
    model = head_model()
    person, scene = make_person(model, 4, 1), replace(make_scene(4, 1, 0), yaw_deg=0.0)
    sides = []
    for azimuth in (-70.0, 70.0):
        light = replace(scene.light, azimuth_deg=azimuth, fill=(0.0, 0.0, 0.0))
        made = render(model, person, replace(scene, light=light))
        x, y = made.landmarks[2].astype(int)
        reach = int(made.landmarks[1, 0] - made.landmarks[0, 0]) // 2
        band = made.image[y - 4 : y + 4].astype(float).mean((0, 2))
        sides.append(
            band[x + reach - 5 : x + reach].mean() - band[x - reach : x - reach + 5].mean()
        )
    assert sides[0] < 0 < sides[1]


def test_a_blink_closes_the_eyes_and_nothing_else() -> None:
    model = head_model()
    scene = replace(make_scene(4, 2, 0), yaw_deg=0.0, gaze_yaw_deg=0.0)
    clip = render_clip(model, make_person(model, 4, 2), scene, action="blink", frames=5)
    still = render_clip(model, make_person(model, 4, 2), scene, action="still", frames=5)
    change = np.abs(clip[2].image.astype(float) - still[2].image.astype(float)).mean(2)
    eyes = clip[2].landmarks[:2].astype(int)
    near = np.mean([change[y - 5 : y + 5, x - 6 : x + 6].mean() for x, y in eyes])
    chin = clip[2].landmarks[3:].mean(0).astype(int)
    far = change[chin[1] + 6 : chin[1] + 14, chin[0] - 8 : chin[0] + 8].mean()
    assert near > 4 * far


def test_skin_spans_the_human_range() -> None:
    model = head_model()
    groups = {make_person(model, 9, index).attributes["skin"] for index in range(60)}
    assert {"very_light", "light", "tan", "brown", "dark"} & groups >= {"light", "dark"}
    assert len(groups) >= 5
