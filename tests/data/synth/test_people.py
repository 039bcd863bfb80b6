"""Drawn people: the same seed draws the same crops, clothes turn with the body, cameras keep identities apart."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from packed_scenes.data.synth.people import sample_camera, shoot
from packed_scenes.data.synth.people.appearance import HATS, STYLES, sample_appearance, variants
from packed_scenes.data.synth.people.families import PeopleSource
from packed_scenes.data.synth.people.figure import render_person
from packed_scenes.data.synth.people.skeleton import joints, sample_pose
from packed_scenes.data.synth.people.tube import Tube, View, paint, profile
from packed_scenes.data.synth.people.wardrobe import sew


def test_shoot_depends_on_the_seed_alone() -> None:
    shots = [shoot(np.random.default_rng(seed), people=3, views=3, width=32, height=64) for seed in (4, 4, 5)]
    assert np.array_equal(shots[0].pixels, shots[1].pixels)
    assert not np.array_equal(shots[0].pixels, shots[2].pixels)
    assert shots[0].pixels.shape == (9, 64, 32, 3)
    assert shots[0].label.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for person in range(3):
        assert len(np.unique(shots[0].camera[shots[0].label == person])) >= 2


@pytest.mark.parametrize("seed", range(6))
def test_a_person_can_be_drawn_from_every_side(seed: int) -> None:
    rng = np.random.default_rng(seed)
    look = sample_appearance(rng)
    assert look.style in STYLES
    assert look.hat in HATS
    for yaw in (0.0, pi / 2, pi, 4.0):
        figure = render_person(look, sample_pose(rng), View(yaw=yaw, pitch=0.3, near=0.2), height=80, rng=rng)
        assert figure.dtype == np.uint8
        assert figure.shape[2] == 4
        assert 30 < figure.shape[0] < 120
        assert figure.shape[1] > 8
        assert (figure[..., 3] > 200).mean() > 0.15


def test_variants_differ_and_keep_the_first() -> None:
    rng = np.random.default_rng(1)
    look = sample_appearance(rng)
    family = variants(look, rng, 4)
    assert family[0] is look
    assert len({repr(member) for member in family}) == 4


def test_the_front_of_a_tube_is_seen_from_the_front_only() -> None:
    texture = np.zeros((8, 64, 4), np.uint8)
    texture[..., 3] = 255
    texture[:, [*range(8), *range(56, 64)], 0] = 255  # red before, black behind
    tube = Tube(start=(0, 0.2, 0), end=(0, 0.8, 0), width=profile((0, 0.2), (1, 0.2)), texture=texture)

    def red(yaw: float) -> float:
        canvas = np.zeros((100, 100, 4), np.float32)
        paint(canvas, tube, View(yaw=yaw), scale=100, origin=(50, 0), folds=np.ones((100, 100), np.float32))
        assert canvas[50, 50, 3] == 255
        assert canvas[5, 50, 3] == 0
        assert canvas[50, 5, 3] == 0
        return float(canvas[50, :, 0].max())

    assert red(0.0) > 150
    assert red(pi) == 0
    sides = [canvas_columns(tube, yaw) for yaw in (0.9, -0.9)]
    assert sides[0] > 50 > sides[1]  # a turn to the one side moves the front to that side


def canvas_columns(tube: Tube, yaw: float) -> float:
    """Mean column of what is red."""
    canvas = np.zeros((100, 100, 4), np.float32)
    paint(canvas, tube, View(yaw=yaw), scale=100, origin=(50, 0), folds=np.ones((100, 100), np.float32))
    return float(np.average(np.arange(100), weights=canvas[50, :, 0]))


def test_bones_keep_their_length() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        pose = sample_pose(rng)
        for hip, knee, _ankle, _toe in joints(pose, shoulders=0.1, hips=0.04).legs:
            assert np.linalg.norm(np.subtract(knee, hip)[1:]) == pytest.approx(0.228)


def test_textures_wrap_and_are_opaque_where_worn() -> None:
    worn = sew(sample_appearance(np.random.default_rng(8)))
    assert (worn.shirt[..., 3] == 255).all()
    assert (worn.legs[..., 3] == 255).all()


def test_people_source_gives_pictures_of_the_height_asked_for() -> None:
    family = PeopleSource().family(np.random.default_rng(0), 3)
    assert len(family) == 3
    assert all(person.render(96).shape[0] == 96 for person in family)
    assert np.array_equal(family[0].render(48), family[0].render(48))


def test_cameras_cut_their_backgrounds_from_the_pictures_given() -> None:
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[..., 2] = 255
    places = [p for seed in range(5) for p in sample_camera(np.random.default_rng(seed), [blue]).places]
    assert any((place == [0, 0, 255]).all() for place in places)
