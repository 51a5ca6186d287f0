"""Download links, before the database is asked: what is forged or has expired is turned away at once.

>>> links = Links({"current": "k1", "keys": {"k1": pepper}})    # the registrar's peppers
>>> links.verify(path_segment).package

Redeeming a link is a command, ``handfast.deliver(to={"type": "link", "link": ..})``: only the registrar knows whether it
has been used, or a newer one was made.
"""

from ._native import Links, VerifiedLink

__all__ = ["Links", "VerifiedLink"]
