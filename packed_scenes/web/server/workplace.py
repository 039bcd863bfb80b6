"""Everything the server holds: the models, the projects that are open, who may see which, and their jobs."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json
from packed_scenes.observe import Observer
from packed_scenes.pictures import PictureCache
from packed_scenes.sources import safe_name
from packed_scenes.web.project.adding import Caps
from packed_scenes.web.project.boxes import Embed
from packed_scenes.web.project.folder import ProjectFolder, clear, import_zip, is_project, remove
from packed_scenes.web.project.project import Image, Project
from packed_scenes.web.project.runs import fill_from_run, is_run, opened_before, run_id, settings_of
from packed_scenes.web.server.jobs import Job
from packed_scenes.web.server.models import Networks, embedder_of
from packed_scenes.web.server.opened import Opened

if TYPE_CHECKING:
    from packed_scenes.catalogue import Catalogue

KEY = re.compile(r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,119}")
IDLE_SECONDS = 600.0  # s after which a project that nobody looks at is closed
MAX_OPEN = 64  # projects that stay open whatever: boxes and vectors only, photos are in one cache


class Workplace:
    """The state of one server.

    Args:
        root: folder of the projects that are made here.
        observer: makes the models when they are needed.
        photos: folders below which photos may be taken by path.
        catalogue: folder of the catalogue, or None.
        caps: limits of a project.
        max_upload: bytes of one upload.
    """

    def __init__(
        self, root: Path, *, observer: Observer, photos: Sequence[Path] = (), catalogue: Path | None = None,
        caps: Caps | None = None, max_upload: int = 100_000_000,
    ) -> None:  # fmt: skip
        self.root, self.observer, self.networks = root.resolve(), observer, Networks(observer)
        self.photos = [folder.resolve() for folder in photos]
        self.catalogue_folder, self.caps, self.max_upload = catalogue, caps or Caps(), max_upload
        self.models = threading.RLock()  # one inference at a time
        self.pictures = PictureCache()
        self._named: dict[str, Path] = {}
        self._opened: dict[str, Opened] = {}
        self._lock = threading.RLock()
        self.first: str | None = None  # the project that the app was started with
        self._sweep()

    def _sweep(self) -> None:
        """Remove what a crash left: uploads that were never analysed, half imports."""
        if not self.root.is_dir():
            return
        for folder in self.root.iterdir():
            if folder.name.startswith((".importing-", ".receiving", ".deleting-")):
                shutil.rmtree(folder, ignore_errors=True)
            elif is_project(folder):
                with suppress(InputError):
                    held = ProjectFolder(folder)  # another app that runs keeps its own
                    clear(folder)
                    held.close()

    # Projects

    def make(self, name: str, *, owner: str | None) -> Opened:
        """Make an empty project; a number is put behind a name that is there already."""
        return self._make(name, self.observer.settings.to_json(), owner=owner, roots=self.photos)

    def _make(self, name: str, settings: dict[str, Any], *, owner: str | None, roots: Sequence[Path] | None) -> Opened:
        text = " ".join(name.split())[:80] or f"Work of {datetime.now():%d %B %Y, %H.%M}"
        if not text.isprintable():
            raise InputError("this cannot be a name", remedy="Use printable characters.")
        with self._lock:
            key, shown = self._free(text)
            folder = ProjectFolder.create(self.root / key, name=shown, settings=settings)
            if owner:
                folder.save_about(owner=owner)
            return self._hold(key, folder, roots=roots)

    def unpack(self, archive: Path, name: str, *, owner: str, prepare: Callable[[Path], None] | None = None) -> Opened:
        """Make a project of an exported one; a number is put behind a name that is there already.

        Args:
            archive: the zip.
            name: of the new project.
            owner: the visit that it belongs to.
            prepare: given the folder before it is opened.

        Raises:
            InputError: if it is no exported project, or a damaged one.
        """
        with self._lock:  # two visits at once must not choose one name
            key, shown = self._free(name)
            import_zip(archive, self.root / key)
            try:
                if prepare is not None:
                    prepare(self.root / key)
                made = self.open(key, visit=None)
            except InputError:
                shutil.rmtree(self.root / key, ignore_errors=True)
                raise
            made.project.folder.save_about(name=shown, owner=owner)
            return made

    def _free(self, name: str) -> tuple[str, str]:
        """A key that no project has, and the name to show; both with a number behind them if need be."""
        base, number = safe_name(name), 1
        while (self.root / (key := base if number == 1 else f"{base} {number}")).exists():
            number += 1
        return key, name if number == 1 else f"{name} {number}"

    def name(self, path: Path) -> str:
        """Open a project, or the run folder of ``analyze``, that the app was started with; returns its key."""
        path = path.resolve()
        if is_run(path) and not is_project(path):
            return self._from_run(path)
        key = safe_name(path.name)
        self._named[key] = path
        if not is_project(path):
            if path.exists() and any(path.iterdir()):
                raise InputError("is neither a project nor a run folder", file=path, remedy="Name a new folder.")
            ProjectFolder.create(path, name=path.name, settings=self.observer.settings.to_json()).close()
        self.first = key
        self.open(key, visit=None)
        return key

    def _from_run(self, path: Path) -> str:
        """The project that this run was opened as before, or a new one."""
        run, known = run_id(path), opened_before(path, self.root)
        if known is not None:
            return self.name(known)
        settings, weights = settings_of(path)
        opened = self._make(path.name, settings, owner=None, roots=None)
        opened.project.folder.save_about(run=run, weights=weights)
        opened.project.folder.save_about(left_out=fill_from_run(opened.project, path) or None)
        self._named[opened.key] = opened.project.folder.path
        self.first = opened.key
        return opened.key

    def path(self, key: str) -> Path:
        """Where a project lies.

        Raises:
            InputError: if there is no such project.
        """
        if key in self._named:
            return self._named[key]
        if not KEY.fullmatch(key) or not is_project(self.root / key):
            raise InputError("there is no such project", remedy="Choose another one.")
        return self.root / key

    def open(self, key: str, *, visit: str | None) -> Opened:
        """Return an open project, if this visit may see it.

        Raises:
            InputError: if there is none, it belongs to another visit, or another process has it open.
        """
        with self._lock:
            held = self._opened.get(key)
            if held is None:
                path = self.path(key)
                roots = None if key in self._named else self.photos
                held = self._hold(key, ProjectFolder(path), roots=roots)
            owner = held.project.folder.about.get("owner")
            if owner is not None and visit is not None and owner != visit and key not in self._named:
                raise InputError("there is no such project", remedy="Choose another one.")
            held.used = time.monotonic()
            self._close_idle()
            return held

    def _hold(self, key: str, folder: ProjectFolder, *, roots: Sequence[Path] | None) -> Opened:
        clear(folder.path)  # by a crash: nobody else has the project
        try:
            networks, refused = self.networks.try_of(folder.about, named=roots is None)
            card = {} if networks is None else networks.embedder.card
            project = Project(folder, roots=roots, card=card, pictures=self.pictures)
        except BaseException:
            folder.close()
            raise
        opened = Opened(key, project, networks=networks, refused=refused)
        self._opened[key] = opened
        return opened

    def close_idle(self) -> None:
        """Close what nobody has open any more; uploads that were never analysed go with the visit."""
        with self._lock:
            self._close_idle()

    def _close_idle(self) -> None:
        now = time.monotonic()
        order = sorted(self._opened.values(), key=lambda o: o.used)
        for opened in order[: max(0, len(order) - MAX_OPEN)] + [o for o in order if now - o.used > IDLE_SECONDS]:
            idle = now - opened.used > IDLE_SECONDS
            if (opened.job is None or opened.job.finished) and (idle or not opened.incoming):
                self._opened.pop(opened.key, None)
                shutil.rmtree(opened.project.folder.path / "incoming", ignore_errors=True)
                opened.project.folder.close()

    def remove(self, key: str, *, visit: str) -> None:
        """Delete a project with all its files."""
        opened = self.open(key, visit=visit)
        if opened.job is not None and not opened.job.finished:
            raise InputError("work is going on in this project", remedy="Stop it first.")
        with self._lock:
            self._opened.pop(key, None)
            opened.project.folder.close()
            remove(opened.project.folder.path)
            self._named.pop(key, None)

    def recent(self, *, visit: str) -> list[dict[str, Any]]:
        """The projects that a visit may see, the latest first."""

        found = []
        places = {p.name: p for p in (self.root.iterdir() if self.root.is_dir() else ()) if is_project(p)} | self._named
        for key, path in places.items():
            try:
                about = load_json((path / "project.json").read_text(encoding="utf-8"))
                log = path / "log.jsonl"
                changed = (log if log.exists() else path / "project.json").stat().st_mtime
            except (OSError, ValueError):
                continue
            if about.get("owner") in (None, visit) or key in self._named:
                found.append({"key": key, "name": str(about.get("name", key)), "changed": changed,
                              "sample": bool(about.get("sample"))})  # fmt: skip
        return sorted(found, key=lambda item: -item["changed"])

    def start(self, opened: Opened, kind: str, work: Callable[[Job], Any], *, total: int = 0) -> Job:
        """Start a job in a project.

        Raises:
            InputError: if another one is going on there.
        """
        with self._lock:
            if opened.job is not None and not opened.job.finished:
                raise InputError("something is going on in this project already", remedy="Wait for it, or stop it.")
            opened.job = Job(kind, work, total=total).start()
            return opened.job

    def close(self) -> None:
        """Stop jobs, remove uploads that wait, let go of the folders."""
        for opened in self._opened.values():
            if opened.job is not None:
                opened.job.stop()
                opened.job.wait(10)
            shutil.rmtree(opened.project.folder.path / "incoming", ignore_errors=True)
            opened.project.folder.close()
        self._opened.clear()

    # Models

    def embed_of(self, opened: Opened) -> Embed:
        """What describes boxes of a project's pictures, one inference at a time."""

        def embed(image: Image, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
            with self.models:
                return np.asarray(embedder_of(opened).embed(image, boxes), np.float32)

        return embed

    def copy(self, opened: Opened, name: str, *, owner: str) -> Opened:
        """Save as: copy a project under another name."""
        with self._lock, opened.project.lock:
            made = self.make(name, owner=owner)
            key, title = made.key, made.project.name
            self._opened.pop(key).project.folder.close()
            target, aside = self.root / key, self.root / f".importing-{key}"
            shutil.rmtree(target)
            leave = shutil.ignore_patterns("incoming", "lock", ".*", "frames")
            shutil.rmtree(aside, ignore_errors=True)
            shutil.copytree(opened.project.folder.path, aside, ignore=leave)
            aside.rename(target)
            fresh = self.open(key, visit=None)
            fresh.project.folder.save_about(name=title, owner=owner, sample=None, run=None)
            return fresh

    def catalogue(self) -> Catalogue | None:
        """The catalogue that the app was started with."""
        if self.catalogue_folder is None:
            return None
        from packed_scenes.catalogue import Catalogue

        return Catalogue.create(self.catalogue_folder)
