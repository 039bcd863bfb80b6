"""Make the sample project that ships: the shelf, analysed with the shipped weights.

``python -m packed_scenes.web.project.sample`` after the weights have changed; with other weights than those of the
zip the app analyses the sample when it is opened.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from packed_scenes.data.shipped import SAMPLE_FOLDER
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.project.adding import Caps, add_photos, incoming
from packed_scenes.web.project.folder import ProjectFolder, export_zip
from packed_scenes.web.project.project import Project

READY = SAMPLE_FOLDER / "shelf-project.zip"


def make_sample(out: Path = READY) -> Path:
    """Analyse the shelf into a project and write it as a zip."""
    observer = Observer(Settings())
    with tempfile.TemporaryDirectory() as aside:
        folder = ProjectFolder.create(Path(aside) / "sample", name="Sample shelf", settings=Settings().to_json())
        project = Project(folder, roots=[], card=observer.embedder.card)
        files = incoming([("shelf.jpg", SAMPLE_FOLDER / "shelf.jpg")], caps=Caps(), keep=False, errors=[])
        add_photos(project, files, observer, caps=Caps(), report=lambda *_: None)
        project.history.settle()
        folder.save_about(
            weights={"embedder": observer.embedder.weights_hash, "detector": observer.detector.weights_hash}
        )
        export_zip(folder.path, [], out, bare=True)  # the photo ships beside it
        folder.close()
    return out


if __name__ == "__main__":
    print(make_sample())
