"""Drawn people: bodies and clothes in three dimensions, many views of one person, cameras of their own character."""

from packed_scenes.data.synth.people.crops import Crops, retake, shoot
from packed_scenes.data.synth.people.folder import SITE, write_people
from packed_scenes.data.synth.people.site import Camera, sample_camera

__all__ = ["SITE", "Camera", "Crops", "retake", "sample_camera", "shoot", "write_people"]
