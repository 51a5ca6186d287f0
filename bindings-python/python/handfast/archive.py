"""Packages as files: tar.gz and zip that are the same bytes each time, an environment file, and an installer.

>>> archive = Archive().with_file("README.txt", "Unpack me once.\\n").with_file("edge.env", env_file({"A": secret}))
>>> archive.with_digests().to_tar_gz()

Names that any system could take for another place or another file are refused. Files have mode 0600, scripts 0700.
``INSTALLER`` is a script for any POSIX shell; ``sh install.sh --help`` tells what it does.
"""

from ._native import INSTALLER, Archive, env_file

__all__ = ["INSTALLER", "Archive", "env_file"]
