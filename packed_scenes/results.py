"""What was found: one analysed scene, and an analysis of one or many."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import left_out
from packed_scenes.data.objects import Objects
from packed_scenes.pictures import PictureCache, Source
from packed_scenes.settings import Settings
from packed_scenes.titles import counted, titles

if TYPE_CHECKING:
    import pandas as pd

    from packed_scenes.aggregate import Congregation


MAX_LISTED = 12  # scenes, warnings and errors in a summary
MAX_PICTURES, PICTURE_SIDE = 4, 1000  # overlays in a notebook, and their longer side


@dataclass(frozen=True)
class SceneResult:
    """One analysed scene.

    Attributes:
        source: where its picture comes from.
        size: (height, width) in pixels.
        objects: boxes, vectors, identities and congregations.
        congregations: where each identity stands.
        detection: how the detector worked.
        seconds: wall time per stage.
        warnings: lines for the user.
    """

    source: Source
    size: tuple[int, int]
    objects: Objects
    congregations: list[Congregation]
    detection: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The scene's name."""
        return self.source.name


@dataclass(frozen=True, repr=False)
class Analysis:
    """The result of :func:`analyze`.

    Attributes:
        scenes: the scenes that could be analysed, in input order.
        settings: what decided the result.
        clustering: clusterer, threshold, number of clusters, share of noise.
        errors: (file, reason) of pictures that had to be left out.
        seconds: wall time per stage over all scenes.
        weights: SHA-256 of the detector's and embedder's weights, where used.
        names: cluster -> name, of what has one; None = nothing was asked for names.
        identities: cluster -> number in a catalogue, of what one knows
            (:meth:`packed_scenes.catalogue.Catalogue.recognise`); None = no catalogue was asked.
    """

    scenes: tuple[SceneResult, ...]
    settings: Settings
    clustering: dict[str, Any]
    errors: tuple[tuple[str, str], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    pictures: PictureCache = field(default_factory=PictureCache, repr=False)
    names: Mapping[int, str] | None = None
    identities: Mapping[int, int] | None = None

    @property
    def titles(self) -> Mapping[int, str] | None:
        """Cluster -> its name, else ``#12`` by the number in a catalogue; None if neither was asked for."""
        return titles(self.names, self.identities)

    @property
    def warnings(self) -> list[str]:
        """All warnings; a scene's warning starts with its name."""
        of_scenes = [f"{scene.name}: {line}" for scene in self.scenes for line in scene.warnings]
        return [*of_scenes, *self.clustering.get("warnings", [])]

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """(file, reason) of what had to be left out: pictures, and entries of files of boxes, of which a warning tells
        as well.
        """
        lines = [line for scene in self.scenes for line in scene.warnings] + self.clustering.get("warnings", [])
        return [*self.errors, *filter(None, map(left_out, dict.fromkeys(lines)))]

    def __repr__(self) -> str:
        """A summary for people: what was found in each scene, warnings, and what was left out."""
        objects = sum(len(scene.objects) for scene in self.scenes)
        lines = [
            f"{counted(objects, 'object')} in {counted(len(self.scenes), 'scene')}: "
            f"{counted(self.clustering['n_clusters'], 'identity', 'identities')}, "
            f"{self.clustering['noise_share']:.0%} noise"
        ]
        lines += [
            f"  {scene.name}: {counted(len(scene.objects), 'object')}, "
            f"{counted(len(scene.congregations), 'congregation')}"
            for scene in self.scenes[:MAX_LISTED]
        ]
        if len(self.scenes) > MAX_LISTED:
            lines.append(f"  … and {len(self.scenes) - MAX_LISTED} more scenes")
        lines += [f"warning: {line}" for line in self.warnings[:MAX_LISTED]]
        lines += [f"left out: {file}: {why}" for file, why in self.errors[:MAX_LISTED]]
        return "\n".join(lines)

    def show(self, scene: str | None = None) -> None:
        """Open the overlay of one scene (the first if not named) in the system's picture viewer, or show it in the
        notebook.
        """
        from PIL import Image

        picture = Image.fromarray(self.overlay(scene))
        notebook = sys.modules.get("IPython")  # a notebook shows it below the cell
        if notebook is not None and notebook.get_ipython() is not None:
            notebook.display.display(picture)
        else:
            picture.show()

    def _repr_html_(self) -> str:
        """The summary and the first scenes' overlays, for notebooks; file names are hostile text."""
        import base64
        from html import escape

        import cv2

        from packed_scenes.data.hidden import html_text

        parts = [f"<pre>{escape(str(self))}</pre>"]
        for scene in self.scenes[:MAX_PICTURES]:
            overlay = self.overlay(scene.name)
            factor = min(1.0, PICTURE_SIDE / max(overlay.shape[:2]))
            small = cv2.resize(overlay, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            data = base64.b64encode(cv2.imencode(".jpg", small[..., ::-1])[1].tobytes()).decode()
            parts.append(
                f'<figure><img style="max-width:100%" src="data:image/jpeg;base64,{data}">'
                f"<figcaption>{html_text(scene.name)}</figcaption></figure>"
            )
        return "".join(parts)

    def export(self, form: str, folder: str | Path) -> Path:
        """Write what was found in the form of another tool: coco, yolo, voc, cvat, label-studio, fiftyone, supervision.

        Returns:
            The file or folder to open.

        Raises:
            InputError: see :func:`packed_scenes.exporting.export`.
        """
        from packed_scenes.exporting import export, of_analysis

        return export(of_analysis(self), form, folder, names=self.titles)

    def recurring_identities(self) -> int:
        """Number of identities in two scenes or more; one that is detected only once is often a false or half-hidden
        object.
        """
        found = [np.unique(s.objects.cluster) for s in self.scenes if s.objects.cluster is not None and len(s.objects)]
        names, counts = np.unique(np.concatenate([np.zeros(0, np.int64), *found]), return_counts=True)
        return int(((names >= 0) & (counts > 1)).sum())

    def table(self) -> pd.DataFrame:
        """Return all objects as one table, ``scene`` in front, ``name`` and ``identity`` last if known; no vectors."""
        import pandas as pd

        frames = []
        for scene in self.scenes:
            frame = scene.objects.replace(embedding=None).to_pandas()
            frame.insert(0, "scene", scene.name)
            if self.names is not None:
                frame["name"] = [self.names.get(c, "") for c in frame["cluster"]]
            if self.identities is not None:
                frame["identity"] = pd.array([self.identities.get(c) for c in frame["cluster"]], "Int64")
            frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def overlay(self, scene: str | None = None) -> npt.NDArray[np.uint8]:
        """Draw one scene (the first if not named) with its congregations: (H, W, 3) uint8 RGB."""
        from packed_scenes.aggregate import assign_colors
        from packed_scenes.people_groups import draw_scene

        found = next((s for s in self.scenes if scene in (None, s.name)), None)
        if found is None:
            raise InputError(
                f"no scene named {scene!r}", remedy=f"There are: {', '.join(s.name for s in self.scenes)}."
            )
        colors = assign_colors([s.objects for s in self.scenes])
        picture = self.pictures.get(found.source).image
        show = self.settings.overlay
        return draw_scene(
            picture, found.objects, found.congregations, colors=colors, show=show, names=self.names,
            identities=self.identities,
        )  # fmt: skip

    def save(self, out: str | Path) -> Path:
        """Write the run folder (see the README for its files) and return its path."""
        from packed_scenes.runfolder import save_run

        return save_run(self, Path(out))
