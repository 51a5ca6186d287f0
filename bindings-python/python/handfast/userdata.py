"""User data: what a cloud hands to a machine at its first boot, here with an enrollment token in it.

>>> boot = FirstBoot(token, token_path="/etc/handfast/token", command=["/usr/local/bin/first-boot"])
>>> document = boot.cloud_config()          # or boot.ignition(version="3.4.0")
>>> document.fits("aws")
>>> document.to_secret().expose()

Whoever may describe the instance reads its user data, and so does every process on it that reaches the metadata service: the
token must be good for one use and for minutes. ``CLOUDS`` names the clouds with their limits in bytes.
"""

from ._native import CLOUDS, FIRST_BOOT_UNIT, FirstBoot, UserData

__all__ = ["CLOUDS", "FIRST_BOOT_UNIT", "FirstBoot", "UserData"]
