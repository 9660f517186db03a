"""Where a private MTA keeps its files."""

import tempfile
from pathlib import Path


def make_directory(given: Path | None) -> Path:
    """Give `given` as an absolute path, or a new directory that its user removes."""
    if given is not None:
        # postsuper refuses a relative configuration directory.
        return given.resolve()
    # Not /tmp: MTAs distrust files below a directory that anybody may write to.
    directory = Path(tempfile.mkdtemp(prefix="outgate-lab-", dir="/var/lib"))
    directory.chmod(0o755)
    return directory
