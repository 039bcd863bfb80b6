"""Which entry of a file belongs to which picture, and names that are distinct when written: one rule for all of it.

An entry (a picture name in a label file, a table, a list) and a picture fit if their file names are equal; of several,
the one whose path agrees with the picture's for the longest stretch from the end is taken. An entry serves one
picture. What fits several equally well is given to none of them, and said.

File names are compared in turn: as they are (in one Unicode form: macOS writes accents apart), without case, without
the suffix, without what Label Studio and Roboflow put around a name, and by the number at the end, for entries that are
a number. Where the folders of the two disagree, or both have a suffix and these differ, they fit only if no other
picture and no other entry has that name (of whole paths, which other machines wrote, that end), and that is said.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from packed_scenes.data.hidden import HIDDEN

_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio puts it before the name of an upload
_ROBOFLOW = re.compile(r"[_.](jpe?g|png|bmp|webp|tiff?|heic|avif)\.rf\.[0-9a-z]+(\.[a-z]+)?$", re.IGNORECASE)
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_WHOLE = re.compile(r"/|[A-Za-z]:[/\\]|[a-z0-9+.-]+://|\.\.[/\\]")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
# Windows takes these for devices, whatever follows a dot
_DEVICE = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3])(?=\s*(?:\.|$))", re.IGNORECASE)

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Matches:
    """Which entry each picture gets.

    Attributes:
        entry: by the picture's row, the row of its entry.
        unclear: by the picture's row, why it gets none although something fits.
        notes: lines about pictures that got an entry under another folder or suffix.
    """

    entry: dict[int, int] = field(default_factory=dict)
    unclear: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def resolved(self, picture: int) -> bool:
        """Whether a picture has its entry, or can't have one."""
        return picture in self.entry or picture in self.unclear


def path_parts(name: str) -> Parts:
    """Split a path, a Windows path or an address into its parts, decoded, in one Unicode form (NFC), hidden characters
    as ``_``.
    """
    text = str(name)
    if text.startswith("/data/upload/"):  # Label Studio's own folders say nothing about the user's
        text = unquote(text.rsplit("/", 1)[-1])
    elif "://" in text or text.startswith("/data/"):
        try:
            address = urlsplit(text)
            place = parse_qs(address.query).get("d", [address.path])[0]  # Label Studio: /data/local-files/?d=a/b.jpg
        except ValueError:
            place = text
        text = unquote(place) or text
    text = unicodedata.normalize("NFC", HIDDEN.sub("_", text).replace("\\", "/"))
    return tuple(part for part in text.split("/") if part not in ("", ".", ".."))


def no_device(name: str) -> str:
    """Return a file's name, or one with an underscore where Windows would take it for a device (``nul.png``)."""
    return _DEVICE.sub(r"\1_", name)


def same_name(name: str) -> str:
    """The form in which two names that a file system may hold as one are equal: NFC, without case."""
    return unicodedata.normalize("NFC", name).casefold()


def match_names(pictures: Sequence[str], entries: Sequence[str]) -> Matches:
    """Give every picture at most one entry, and every entry at most one picture; see the module for the rule.

    Args:
        pictures: paths or names of pictures, each once.
        entries: names in the label file or table, each once.

    Cost: one dictionary per comparison; pairs are compared only within one file name.
    """
    sides = [[path_parts(p) for p in pictures], [path_parts(e) for e in entries]]
    names = (pictures, entries)
    found = Matches({}, {})
    spent: set[int] = set()
    notes: list[str] = []
    for p, e in _equal(sides):  # one path is another's end: the same path goes first
        found.entry[p] = e
        spent.add(e)
    for key_of, sure in _STAGES:
        if len(spent) == len(entries) or len(found.entry) + len(found.unclear) == len(pictures):
            break
        keyed = _keyed(sides, key_of)
        free = [{r: k for r, k in keyed[0].items() if not found.resolved(r)},
                {r: k for r, k in keyed[1].items() if r not in spent}]  # fmt: skip
        if not free[0] or not free[1]:
            continue
        deepest = min(max(map(len, side.values())) for side in free)
        for depth in range(deepest, 0, -1):
            pairs = [(p, e) for p, e in _agreeing(free, depth) if sure(sides[0][p][-1], sides[1][e][-1])]
            _assign(pairs, found, spent, names)
        for p, e in [*_moved(free, deepest, entries), *_alone(keyed)]:
            if not found.resolved(p) and e not in spent:
                found.entry[p] = e
                spent.add(e)
                notes.append(f"{pictures[p]}: taken for {entries[e]!r}, the only such name")
    return Matches(found.entry, found.unclear, tuple(notes))


def _equal(sides: Sequence[Sequence[Parts]]) -> list[tuple[int, int]]:
    """Pairs of a picture and an entry with the same path, which no other has."""
    whole: list[dict[Parts, list[int]]] = [defaultdict(list) for _ in sides]
    for at, side in enumerate(sides):
        for row, parts in enumerate(side):
            whole[at][parts].append(row)
    pairs = [(mine, whole[1].get(parts, [])) for parts, mine in whole[0].items() if parts]
    return [(mine[0], theirs[0]) for mine, theirs in pairs if len(mine) == 1 == len(theirs)]


def _keyed(sides: Sequence[Sequence[Parts]], key_of: Callable[[str, int], str | None]) -> list[dict[int, Parts]]:
    """Paths whose last part is replaced by its key, by row; those without a key are left out."""
    return [
        {row: (*parts[:-1], key) for row, parts in enumerate(side) if parts and (key := key_of(parts[-1], at))}
        for at, side in enumerate(sides)
    ]


def _agreeing(free: Sequence[dict[int, Parts]], depth: int) -> list[tuple[int, int]]:
    """Pairs whose last ``depth`` parts are equal and one of whose paths has no more: at most as many as there are names
    under each end.
    """
    ends: list[dict[Parts, list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, rows in zip(ends, free, strict=True):
        for row, parts in rows.items():
            if len(parts) >= depth:
                side[parts[-depth:]].append(row)
    pairs = []
    for end, mine in ends[0].items():
        theirs = ends[1].get(end, [])
        whole = [p for p in mine if len(free[0][p]) == depth], {e for e in theirs if len(free[1][e]) == depth}
        pairs += [(p, e) for p in mine for e in whole[1]]
        pairs += [(p, e) for p in whole[0] for e in theirs if e not in whole[1]]
    return pairs


def _only(free: Sequence[dict[int, Parts]], depth: int, entries: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs whose last ``depth`` parts are equal and no other's are, of entries with a whole path: its beginning is
    that of another machine, so it need not agree.
    """
    ends: list[dict[Parts, list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, rows in zip(ends, free, strict=True):
        for row, parts in rows.items():
            if len(parts) >= depth:
                side[parts[-depth:]].append(row)
    pairs = [(p[0], ends[1][end][0]) for end, p in ends[0].items() if len(p) == 1 == len(ends[1].get(end, []))]
    return [(p, e) for p, e in pairs if _WHOLE.match(entries[e])]


def _moved(free: Sequence[dict[int, Parts]], deepest: int, entries: Sequence[str]) -> list[tuple[int, int]]:
    return [pair for depth in range(deepest, 1, -1) for pair in _only(free, depth, entries)]


def _alone(keyed: Sequence[dict[int, Parts]]) -> list[tuple[int, int]]:
    """Pairs of names that only one picture and only one entry have, whatever the folders are."""
    rows: list[dict[str, list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, names in zip(rows, keyed, strict=True):
        for row, parts in names.items():
            side[parts[-1]].append(row)
    return [(p[0], e[0]) for key, p in rows[0].items() if len(p) == 1 and len(e := rows[1].get(key, [])) == 1]


def _assign(
    pairs: Sequence[tuple[int, int]], found: Matches, spent: set[int], names: tuple[Sequence[str], Sequence[str]]
) -> None:
    """Give out the pairs of one strength; a picture or an entry that is in several of them is in doubt."""
    left = [(p, e) for p, e in pairs if not found.resolved(p) and e not in spent]
    of_picture, of_entry = defaultdict(list), defaultdict(list)
    for p, e in left:
        of_picture[p].append(e)
        of_entry[e].append(p)
    for p, e in left:
        if len(of_picture[p]) > 1:
            found.unclear[p] = f"fits {_shown([names[1][x] for x in of_picture[p]])} equally well"
        elif len(of_entry[e]) > 1:
            found.unclear[p] = f"{names[1][e]!r} fits {_shown([names[0][x] for x in of_entry[e]])} equally well"
        else:
            found.entry[p] = e
    spent.update(e for _, e in left)


def _shown(names: Sequence[str]) -> str:
    return " and ".join(repr(str(n)) for n in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name).casefold()


def _undressed(name: str) -> str | None:
    return _stem(_ROBOFLOW.sub("", _UPLOAD.sub("", name)))


def _number(name: str, side: int) -> str | None:
    hit = re.search(r"\d+$", _SUFFIX.sub("", name)) if side == 0 else re.fullmatch(r"\d+", name)
    return None if hit is None else str(int(hit[0]))


_STAGES: tuple[tuple[Callable[[str, int], str | None], Callable[[str, str], bool]], ...] = (
    (lambda name, side: name, lambda a, b: True),
    (lambda name, side: name.casefold(), lambda a, b: True),
    (lambda name, side: _stem(name), lambda a, b: not (_SUFFIX.search(a) and _SUFFIX.search(b))),
    (lambda name, side: _undressed(name), lambda a, b: True),
    (_number, lambda a, b: True),
)


def rows_of(entries: Iterable[str], names: Sequence[str]) -> dict[str, int]:
    """The row in ``names`` that each entry of a table means; those that mean none are left out.

    Args:
        entries: as written, any of them more than once.
        names: the files.
    """
    place = {name: row for row, name in enumerate(names)}
    wanted = dict.fromkeys(entries)
    rest = [name for name in wanted if name not in place]
    found = {name: place[name] for name in wanted if name in place}
    return found | {rest[entry]: row for row, entry in match_names(names, rest).entry.items()}


def flat_names(paths: Iterable[str], *, max_bytes: int = 150) -> list[str]:
    """One file name per path, all distinct: the file's own name where it is the only one, else with its folders.

    Args:
        paths: relative paths with forward slashes.
        max_bytes: bytes in a name; longer ones are cut and get a hash.
    """
    paths = list(paths)
    made = [p.rsplit("/", 1)[-1] for p in paths]
    times: dict[str, int] = defaultdict(int)
    for name in made:
        times[same_name(name)] += 1
    own = [times[same_name(name)] == 1 for name in made]
    wanted = [n if alone else p.replace("/", "__") for n, p, alone in zip(made, paths, own, strict=True)]
    names = [_cut(no_device(_FORBIDDEN.sub("_", name)) or "_", max_bytes) for name in wanted]
    order = sorted(range(len(names)), key=lambda row: not own[row])  # a name that may stay goes before made ones
    done = dict(zip(order, distinct(names[row] for row in order), strict=True))
    return [done[row] for row in range(len(names))]


def distinct(names: Iterable[str], *, taken: Iterable[str] = (), form: Callable[[str], str] = same_name) -> list[str]:
    """Number those names that repeat (``a.jpg``, ``a_2.jpg``), so that no two are one on any file system.

    Args:
        names: to be made distinct, in order: the first of equal ones stays.
        taken: names that must not be used.
        form: two names are one if their forms are equal; ``str`` = only equal ones.
    """
    used = {form(name) for name in taken}
    last: dict[str, int] = {}  # number that a name got: those below are used
    done = []
    for name in names:
        suffix = hit[0] if (hit := _SUFFIX.search(name)) else ""
        stem, number, new = name[: len(name) - len(suffix)], last.get(name, 1), name
        while form(new) in used:
            number += 1
            new = f"{stem}_{number}{suffix}"
        last[name] = number
        used.add(form(new))
        done.append(new)
    return done


def _cut(name: str, max_bytes: int) -> str:
    if len(name.encode(errors="surrogateescape")) <= max_bytes:
        return name
    suffix = hit[0] if (hit := _SUFFIX.search(name)) else ""
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:8]
    stem = (
        name[: len(name) - len(suffix)].encode(errors="replace")[: max_bytes - 10 - len(suffix)].decode(errors="ignore")
    )
    return f"{stem}-{digest}{suffix}"
