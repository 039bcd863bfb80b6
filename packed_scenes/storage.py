"""Folders that may lie on this machine or in an object store, by URL through fsspec.

``s3://bucket/photos``, ``gs://…``, ``file:///…`` and whatever else fsspec knows; a plain path is a local folder.
Credentials come from where the store's own library looks (environment, instance role), never from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import MAX_BYTES, atomic_write
from packed_scenes.data.folders import IMAGE_SUFFIXES
from packed_scenes.data.scene import Scene
from packed_scenes.pictures import Source


def is_url(text: object) -> bool:
    """Say whether this names a place by URL rather than by path."""
    return isinstance(text, str) and "://" in text


@dataclass(frozen=True)
class Storage:
    """A folder.

    Attributes:
        url: where it is.
    """

    url: str

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None if it is not there.

        Raises:
            InputError: if the store refuses.
        """
        system, root = self._system()
        with _clear(f"{self.url}/{name}"):
            try:
                return bytes(system.cat_file(f"{root}/{name}"))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all: object stores do by themselves, local files are renamed into place.

        Raises:
            InputError: if the place cannot be written.
        """
        system, root = self._system()
        if _is_local(system):
            with atomic_write(Path(root) / name) as temporary:
                temporary.write_bytes(data)
            return
        with _clear(f"{self.url}/{name}"):
            system.pipe_file(f"{root}/{name}", data)

    def delete(self, name: str) -> None:
        """Delete a file, or all below a folder; nothing happens if it is not there."""
        system, root = self._system()
        with _clear(f"{self.url}/{name}"):
            if system.exists(f"{root}/{name}"):
                system.rm(f"{root}/{name}", recursive=True)

    def _system(self) -> tuple[Any, str]:
        return _open(self.url)


@dataclass(frozen=True)
class StoredSource(Source):
    """A picture in a store.

    Attributes:
        url: where it is.
    """

    url: str = ""

    @property
    def where(self) -> str:
        """Its URL."""
        return self.url

    def content(self) -> bytes:
        """Return the file's bytes.

        Raises:
            InputError: if it is missing, too large, or the store refuses.
        """
        system, path = _open(self.url)
        with _clear(self.url):
            size = system.size(path)
            if size is not None and size > MAX_BYTES:
                raise InputError(
                    f"{size / 1e6:,.0f} MB is more than the limit of {MAX_BYTES / 1e6:,.0f} MB",
                    file=self.url,
                    remedy="Split it.",
                )
            return bytes(system.cat_file(path))

    def scene(self) -> Scene:
        """Read the picture.

        Raises:
            InputError: if it is no readable picture.
        """
        from packed_scenes.data.images import decode_image

        return Scene(decode_image(self.content(), name=self.url), self.name)

    def fingerprint(self) -> str:
        """Return a hash of the file's bytes, the same as of a local copy."""
        return hashlib.sha256(self.content()).hexdigest()


def list_stored(url: str) -> list[StoredSource]:
    """List the pictures below a URL, or the one picture that it names, sorted by path.

    Raises:
        InputError: if there is none, or the store refuses.
    """
    system, root = _open(url)
    with _clear(url):
        paths = [root] if system.isfile(root) else sorted(system.find(root))
    kept = [
        path
        for path in paths
        if path == root
        or (
            PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES
            and not any(part.startswith(".") for part in PurePosixPath(path[len(root) :]).parts)
        )
    ]
    if not kept:
        raise InputError("no picture here", file=url, remedy=f"Known: {', '.join(sorted(IMAGE_SUFFIXES))}.")
    return [StoredSource(PurePosixPath(path).stem, url=str(system.unstrip_protocol(path))) for path in kept]


def _open(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"no way to this kind of storage ({' '.join(str(error).split())})",
            file=url,
            remedy="Install the library that fsspec names (s3fs, gcsfs, adlfs), or copy the files.",
        ) from error
    return system, str(root).rstrip("/")


def _is_local(system: Any) -> bool:
    return "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)


@contextmanager
def _clear(url: str) -> Iterator[None]:
    """Turn what a store's library raises into one line."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError("no such file", file=url, remedy="Check the address.") from error
    except Exception as error:  # each store's library has its own exceptions
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"the storage refused ({said})", file=url, remedy="Check the address and the rights."
        ) from error
