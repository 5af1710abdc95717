"""The embedded Postgres: find its binaries, make a cluster, share it between processes, stop it with the last one.

Standard library only, so that it also works before Django is set up. `python -m portal.launch.with_database` runs a
command with a database.
"""

from portal.launch.embedded.binaries import Binaries, find_binaries
from portal.launch.embedded.cluster import Cluster
from portal.launch.embedded.errors import EmbeddedError
from portal.launch.embedded.start import Purpose, find_cluster, start

__all__ = ["Binaries", "Cluster", "EmbeddedError", "Purpose", "find_binaries", "find_cluster", "start"]
