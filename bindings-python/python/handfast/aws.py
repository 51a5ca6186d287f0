"""AWS's word about EC2 instances: events in verified SNS notifications, and instance identity documents."""

from ._native import InstanceEvent, InstanceIdentity, verify_identity
from ._native import read_instance_event as read

__all__ = ["InstanceEvent", "InstanceIdentity", "read", "verify_identity"]
