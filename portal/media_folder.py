"""Closes the folder of uploads to others: what an earlier version wrote into it, others could read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)


def close_media_folder(folder: Path, mode: int) -> None:
    """Take from the folder what `mode` does not give; files in it need no change, for nobody else comes to them."""
    try:
        found = folder.stat()
        open_to_others = found.st_mode & 0o777 & ~mode
        if not open_to_others:
            return
        if found.st_uid == os.getuid():
            folder.chmod(found.st_mode & 0o7777 & ~open_to_others)
            logger.info("%s is no longer open to others (mode %o)", folder, found.st_mode & 0o777 & mode)
        else:
            logger.warning("%s is open to others and belongs to another account: chmod %o", folder, mode)
    except FileNotFoundError:
        # The first upload makes it, with the mode that the settings say.
        return
    except OSError as error:
        logger.warning("%s cannot be closed to others: %s", folder, error)
