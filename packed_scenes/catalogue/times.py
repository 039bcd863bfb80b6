"""Moments as users write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from packed_scenes.data.errors import InputError

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime | None = None) -> str:
    """Return ISO 8601 without a zone for ``2026-11-15``, ``2026-11-15T08:30``, ``12h``, ``7d`` or ``2w`` (ago, UTC).

    Raises:
        InputError: for anything else.
    """
    ago = re.fullmatch(r"\s*(\d{1,4})\s*([hdw])\s*", text)
    if ago:
        then = (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return then.replace(tzinfo=None).isoformat(timespec="seconds")
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text!r} is no date", remedy="Write 2026-11-15, 2026-11-15T08:30, 12h, 7d or 2w.") from error
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.isoformat(timespec="seconds")
