"""AWS events about EC2 instances, read from verified SNS notifications."""

from ._native import InstanceEvent
from ._native import read_instance_event as read

__all__ = ["InstanceEvent", "read"]
