"""Files in folders."""

from __future__ import annotations

import os


def get_abspaths_in(path: str, extension: str | None = None) -> list[str]:
    """Absolute paths of all files below ``path`` that end in ``extension`` and do not begin with ``_``."""
    return [
        os.path.abspath(os.path.join(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
        if not name.startswith("_") and (extension is None or name.endswith(extension))
    ]
