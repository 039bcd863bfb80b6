"""``Project``: the state behind the workbench, as of now, and the one way in which it changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.data.thresholds import UNCALIBRATED
from packed_scenes.identify import congregate
from packed_scenes.pictures import PictureCache, Source
from packed_scenes.settings import Settings
from packed_scenes.web.edits import Grouping, strengths
from packed_scenes.web.project.coloring import fresh_colors
from packed_scenes.web.project.document import Change, Document, Patch
from packed_scenes.web.project.folder import ProjectFolder
from packed_scenes.web.project.history import History
from packed_scenes.web.project.view import Photo, View

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation
    from packed_scenes.aggregate.colors import Color

REACH = 0.3
Ints = npt.NDArray[np.int64]
Image = npt.NDArray[np.uint8]


class Project:
    """An open project. Methods are safe in threads; every change is on the disk when it returns.

    Args:
        folder: held by this process.
        roots: folders below which photos may lie that are not copies; None: anywhere (the person at the command line
            named this project).
        card: the embedder's card, for the calibration of grouping.
        pictures: photos that are held decoded, shared by all projects of a server.
    """

    def __init__(
        self, folder: ProjectFolder, *, roots: Sequence[Path] | None, card: Mapping[str, Any],
        pictures: PictureCache | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.roots, self.card = folder, roots, card
        self.history = History(folder.path)
        self.lock = threading.RLock()
        self.pictures = pictures or PictureCache()
        self._seen: tuple[int, View] | None = None
        self._listed: tuple[int, list[Photo]] | None = None
        self._places: dict[int, tuple[Any, list[Congregation]]] = {}
        try:  # values of a log that somebody else wrote
            _ = self.photos, self.settings, self.threshold, self.reach, self.confidence, self.view()
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"holds a value that cannot be ({error})", file=folder.path, remedy="Restore it from a copy."
            ) from error

    @property
    def document(self) -> Document:
        """Rows and values as of now."""
        return self.history.document

    @property
    def version(self) -> int:
        """Grows with every change, undo and redo."""
        return self.history.version

    @property
    def name(self) -> str:
        """What people call the project."""
        return str(self.folder.about.get("name") or "Untitled")

    @property
    def settings(self) -> Settings:
        """What the photos were analysed with."""
        known = dict(self.folder.about.get("settings") or {})
        known["classes"] = tuple(known.get("classes") or ())
        try:
            return replace(Settings(**known), threshold=self.threshold, reach=self.reach)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"its settings cannot be used ({error})", file=self.folder.path, remedy="Restore it from a copy."
            ) from error

    @property
    def weights(self) -> dict[str, str]:
        """SHA-256 of the networks that found and described the objects, as far as they are known."""
        taught = self.document.values.get("embedder")
        known = dict(self.folder.about.get("weights") or {})
        return known if taught is None else known | {"embedder": str(taught["sha256"])}

    @property
    def threshold(self) -> float:
        """Cosine distance up to which groups merge."""
        return float(self.document.values.get("threshold", UNCALIBRATED))

    @property
    def reach(self) -> float:
        """Closing reach of congregations, as a share of the object size."""
        return float(self.document.values.get("reach", REACH))

    @property
    def confidence(self) -> float:
        """Lowest score of a found box that is shown."""
        return float(self.document.values.get("confidence", 0.0))

    @property
    def photos(self) -> list[Photo]:
        """The photos, in the order they came; from memory if nothing has changed (each is looked for on the disk)."""
        with self.lock:
            if self._listed is None or self._listed[0] != self.version:
                found = sorted((int(key), value) for key, value in self.document.keyed("photo").items())
                known = {} if self._listed is None else {p.number: p for p in self._listed[1]}
                self._listed = (
                    self.version,
                    [
                        known[n] if n in known and known[n].about == value else self._photo(n, value)
                        for n, value in found
                    ],
                )
            return list(self._listed[1])

    def photo(self, number: int) -> Photo:
        """One photo.

        Raises:
            InputError: if there is none of this number.
        """
        value = self.document.values.get(f"photo/{number}")
        if value is None:
            raise InputError(f"there is no photo {number}")
        return self._photo(number, value)

    def _photo(self, number: int, value: Mapping[str, Any]) -> Photo:
        name, file = str(value["name"]), value.get("file")
        path: Path | None = None
        if file is not None:
            from packed_scenes.web.project.folder import PHOTO_FILE

            path = self.folder.path / str(file) if PHOTO_FILE.fullmatch(str(file)) else None
        else:
            copies = sorted((self.folder.path / "photos").glob(f"{str(value['sha256'])[:16]}.*"))
            path = copies[0] if copies else self._allowed(Path(str(value["path"])))
        source = None if path is None else Source(str(path), path=path)  # its name keys the cache
        height, width = value["size"]
        return Photo(number, name, source, (int(height), int(width)), str(value["sha256"]), value)

    def _allowed(self, path: Path) -> Path | None:
        """The path, if a project may read it: below a folder named at the start, or anywhere in a project named so."""
        if self.roots is None:
            return path
        real = path.resolve()
        return path if any(real.is_relative_to(root) for root in self.roots) else None

    def image(self, number: int) -> Image:
        """A photo's picture, (H, W, 3) uint8 RGB.

        Raises:
            InputError: if it cannot be read, or lies where the app was not allowed to read.
        """
        photo = self.photo(number)
        if photo.source is None:
            raise InputError(
                f"{photo.name} lies outside the folders that were named when the app was started",
                remedy="Start the app with --photos FOLDER, or with this project's name.",
            )
        image = self.pictures.get(photo.source).image
        if image.shape[:2] != photo.size:
            raise InputError(f"{photo.name} has changed its size since it was analysed", remedy="Add it anew.")
        return image

    # Rows

    def visible(self) -> npt.NDArray[np.bool_]:
        """(N,) bool: boxes that are there: not deleted, of a photo that is there, sure enough or drawn by hand."""
        columns = self.document.columns
        there = [int(key) for key in self.document.keyed("photo")]
        sure = columns["drawn"] | (columns["score"] >= self.confidence)
        return np.asarray(columns["alive"] & sure & np.isin(columns["photo"], there), np.bool_)

    @property
    def grouping(self) -> Grouping:
        """The groups of the visible boxes; rows of the grouping are those of :attr:`View.rows`."""
        return self.view().grouping

    def view(self) -> View:
        """What is to be drawn now, from memory if nothing has changed."""
        with self.lock:
            if self._seen is None or self._seen[0] != self.version:
                self._seen = self.version, self._look()
            return self._seen[1]

    def _look(self) -> View:
        document = self.document
        rows = np.flatnonzero(self.visible())
        cluster = document.columns["cluster"][rows]
        there = set(np.unique(cluster).tolist())
        names = {int(k): str(v) for k, v in document.keyed("name").items() if int(k) in there}
        pinned = frozenset(int(k) for k in document.keyed("pinned") if int(k) in there)
        floor = int(document.columns["cluster"].max(initial=NOISE)) + 1
        grouping = Grouping(cluster, self.threshold, names, pinned, floor)
        colors: dict[int, Color] = {
            int(k): (int(v[0]), int(v[1]), int(v[2])) for k, v in document.keyed("color").items() if int(k) in there
        }
        vectors = document.columns["vector"][rows]
        return View(rows, grouping, strengths(grouping, vectors), document.columns["photo"][rows], colors)

    def places(self, number: int) -> list[Congregation]:
        """Where each group stands on a photo, from memory if nothing has changed there."""
        with self.lock:
            part = self.objects(number)
            key = (part.xyxy.tobytes(), None if part.cluster is None else part.cluster.tobytes(), self.reach)
            held = self._places.get(number)
            if held is None or held[0] != key:
                settings = replace(Settings(), reach=self.reach)
                held = key, congregate([part], [self.photo(number).size], settings=settings)[1][0]
                self._places[number] = held
            return held[1]

    def objects(self, number: int) -> Objects:
        """The visible objects of a photo, with groups, vectors and membership; ids are the project's row numbers."""
        view = self.view()
        here = view.photo == number
        rows, columns = view.rows[here], self.document.columns
        return Objects.from_boxes(
            columns["xyxy"][rows],
            score=columns["score"][rows],
            object_id=rows.astype(np.str_),
            embedding=columns["vector"][rows],
            cluster=view.grouping.cluster[here],
            probability=view.probability[here],
        )

    # Changing

    def commit(
        self,
        what: str,
        *,
        columns: Mapping[str, Patch] | None = None,
        values: Mapping[str, Any] | None = None,
        rows: str | None = None,
    ) -> None:
        """Make one change, and give new groups their colours with it; what changes nothing is left out.

        Args:
            what: words for people.
            columns: patches (:meth:`Document.patch`).
            values: new values; None takes one away.
            rows: file of the rows that came with it.
        """
        with self.lock:
            change = Change(what, columns or {}, self.document.changed_values(values or {}))
            if change.empty:
                return
            fresh = fresh_colors(self.document, change)
            self.history.do(Change(what, change.columns, {**change.values, **fresh}), rows=rows)

    def commit_grouping(
        self, what: str, after: Grouping, *, columns: Mapping[str, Patch] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> str:  # fmt: skip
        """Make the change that leads to a grouping of the visible rows; returns its words, with the names that go."""
        before, view = self.grouping, self.view()
        gone = [n for c, n in before.names.items() if c not in after.names and not (after.cluster == c).any()]
        gone = [name for name in gone if name not in after.names.values()]
        if gone:
            what += (
                f" (the {'name' if len(gone) == 1 else 'names'} {', '.join(gone)} {'goes' if len(gone) == 1 else 'go'})"
            )
        changes: dict[str, Any] = {f"name/{c}": after.names.get(c) for c in {*before.names, *after.names}}
        changes |= {f"pinned/{c}": True if c in after.pinned else None for c in before.pinned ^ after.pinned}
        changes["threshold"] = after.threshold
        patch = self.document.patch("cluster", view.rows, after.cluster)
        self.commit(what, columns={**patch, **(columns or {})}, values=changes | dict(values or {}))
        return what

    def undo(self) -> str | None:
        """Take the last change back and say which."""
        with self.lock:
            return self.history.undo()

    def redo(self) -> str | None:
        """Do it again and say which."""
        with self.lock:
            return self.history.redo()
