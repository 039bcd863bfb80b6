"""One SQLite file, opened for each question and each write: safe for several processes and threads, and after kill -9.

Every block of :meth:`Store.write` is one transaction under SQLite's write lock; every block of :meth:`Store.read` sees
one consistent state. The rollback journal is used, not the write-ahead log: the log of SQLite 3.7 to 3.51.2 can lose
committed pages when two connections write and checkpoint at the same moment (https://sqlite.org/wal.html#walresetbug),
and Python often carries such a version. Measured figures are in the README beside this file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packed_scenes.catalogue import schema
from packed_scenes.data.damage import UNREADABLE, reason
from packed_scenes.data.errors import InputError

FILE = "catalogue.sqlite"
SYNCHRONOUS = "EXTRA"  # waits for the folder's own entry, too: a power cut after a commit brings no old journal back
TIMEOUT_SECONDS = (
    120.0  # seconds to wait for another writer; adding 416,314 objects holds the lock for a few seconds only
)


class Store:
    """The file of a catalogue.

    Args:
        folder: the catalogue's folder.
        create: make it if it is not there.
        wait: seconds to wait for another writer.

    Raises:
        InputError: if there is no catalogue, it is damaged, it is from a newer version, or the folder cannot be
        written.
    """

    def __init__(self, folder: str | Path, *, create: bool = False, wait: float = TIMEOUT_SECONDS) -> None:
        self.folder = Path(folder)
        self.file = self.folder / FILE
        self._wait = wait
        if not self.file.is_file():
            if not create:
                raise InputError(
                    "no catalogue here", file=folder, remedy="Make one: packed-scenes analyze PHOTOS --catalogue DIR."
                )
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(
                    f"cannot make the catalogue ({error.strerror})", file=folder, remedy="Choose another folder."
                ) from error
        self._prepare()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one consistent state of the catalogue.

        Raises:
            InputError: also where a value in it is none of its kind: SQLite keeps what it is given in any column.
        """
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            except InputError as error:
                if error.file is None and error.remedy is None:
                    raise self._damaged(error.message) from error
                raise
            except OSError:  # of a file that is written from it
                raise
            except (*UNREADABLE, ArithmeticError) as error:
                raise self._damaged(reason(error)) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in one write transaction: kept whole when the block ends well, else left no trace."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self.file, timeout=self._wait, isolation_level=None)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        try:
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise self._explained(error) from error
        except UnicodeDecodeError as error:  # SQLite's own message quotes the damaged text
            raise self._damaged("its text is no UTF-8") from error
        finally:
            connection.close()  # an open transaction is rolled back

    def _prepare(self) -> None:
        """Check the file's kind and format; make or migrate it where needed."""
        with self._connection() as connection:
            if self._format(connection) == schema.FORMAT:
                return
        with self.write() as connection:
            version = self._format(connection)  # again, under the lock: another process may have been faster
            if version == 0:
                schema.create(connection)
            elif version < schema.FORMAT:
                schema.migrate(connection, version)

    def _format(self, connection: sqlite3.Connection) -> int:
        """Return the file's format, 0 for an empty file."""
        application, version = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
        )
        if application == 0 and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return 0
        if application != schema.APPLICATION_ID:
            raise InputError("is a database, but no catalogue", file=self.file, remedy="Choose another folder.")
        if version > schema.FORMAT:
            raise InputError(
                f"has format {version}, this version knows up to {schema.FORMAT}",
                file=self.file,
                remedy="Update the project.",
            )
        if connection.execute("SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger')").fetchone():
            raise self._damaged("it has views or triggers, which run statements of others")
        return version

    def _explained(self, error: sqlite3.Error) -> InputError:
        reason = str(error)
        if "locked" in reason or "busy" in reason:
            return InputError(
                f"another program has been writing for {self._wait:.0f} s",
                file=self.file,
                remedy="Try again when it is done.",
            )
        if "not a database" in reason or "malformed" in reason:
            return self._damaged(reason)
        if "full" in reason:
            return InputError(f"cannot write ({reason})", file=self.file, remedy="Free space; nothing was changed.")
        if "readonly" in reason or "unable to open" in reason:
            return InputError(
                f"cannot be opened for writing ({reason})", file=self.file, remedy="Check its permissions."
            )
        return InputError(f"cannot be read ({reason})", file=self.file, remedy="Restore it from a copy.")

    def _damaged(self, reason: str) -> InputError:
        return InputError(f"is damaged or no catalogue ({reason})", file=self.file, remedy="Restore it from a copy.")
