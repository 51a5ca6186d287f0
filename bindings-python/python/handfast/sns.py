"""Amazon SNS: from the bytes of an HTTP body to a verified message.

>>> receiver = SnsReceiver({"topics": [{"arn": "arn:aws:sns:us-east-1:123456789012:enroll"}]})
>>> received = receiver.receive(body, request.headers)
"""

from ._native import (
    Confirmation,
    Notification,
    SnsReceiver,
    Unsubscription,
    Verdict,
    parse_duration,
    parse_topic_arn,
    verify_once,
)

__all__ = [
    "Confirmation",
    "Notification",
    "SnsReceiver",
    "Unsubscription",
    "Verdict",
    "parse_duration",
    "parse_topic_arn",
    "verify_once",
]
