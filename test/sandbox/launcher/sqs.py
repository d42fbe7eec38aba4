"""SQS whose cost does not grow with the depth of the queue, and whose long polls hold nobody up.

moto asks every message of the queue at each send, receive and delete, and sleeps in whole seconds while a poll waits.
"""

import copy
from typing import Any

from moto.core.utils import unix_time, unix_time_millis
from moto.sqs import models as sqs
from moto.sqs.exceptions import QueueDoesNotExist, ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from . import clock, connection

#: A poll looks again this often: for messages whose time comes, and for a caller that has gone.
_LOOK_SECONDS = 0.1


def _by_handle(queue: Queue) -> dict[str, Message]:
    """Receipt handle -> message, of the messages that are in the queue and were received."""
    return queue.__dict__.setdefault("by_handle", {})


def _drop(queue: Queue, message: Message) -> None:
    queue._messages.remove(message)
    queue.pending_messages.discard(message)
    for handle in message.all_receipt_handles:
        _by_handle(queue).pop(handle, None)


def _take(queue: Queue, count: int, visibility_timeout: int, names: list[str]) -> list[Message]:
    """The messages that may be received now, at most `count`; those received too often go to the dead-letter queue."""
    taken: list[Message] = []
    dead: list[Message] = []
    expired: list[Message] = []
    now = unix_time_millis()
    # Groups with a message in flight before this call; within one call a group may give several.
    busy = {one.group_id for one in queue.pending_messages if one.group_id and not one.visible} if queue.fifo_queue else set()
    oldest = now - queue.message_retention_period * 1000
    most = queue.redrive_policy["maxReceiveCount"] if queue.dead_letter_queue and queue.redrive_policy else None
    for message in queue._messages:
        if now <= message.visible_at or now < message.delayed_until or (queue.fifo_queue and message.group_id in busy):
            continue
        queue.pending_messages.discard(message)
        if message.sent_timestamp <= oldest:
            expired.append(message)
        elif most is not None and message.approximate_receive_count >= most:
            dead.append(message)
        else:
            message.mark_received(visibility_timeout=visibility_timeout)
            queue.pending_messages.add(message)
            _by_handle(queue)[message.receipt_handle] = message
            answer = copy.copy(message)
            sqs._filter_message_attributes(answer, names)
            taken.append(answer)
            if len(taken) == count:
                break
    for message in expired:
        _drop(queue, message)
    for message in dead:
        _drop(queue, message)
        queue.dead_letter_queue.add_message(message)
    return taken


def _wait(queue: Queue, seconds: float) -> None:
    """Lets others go on until a message comes, or for `seconds`."""
    # First the queue's lock, then ours away: whoever sends needs both, so that no message is missed.
    with queue._messages_lock:
        clock.lock.release()
        queue._messages_lock.wait(seconds)
    clock.lock.acquire()


def apply() -> None:
    moto_attributes = Queue.attributes.fget
    moto_set_attributes = Queue._set_attributes
    moto_send = SQSBackend.send_message

    def receive_message(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        queue = self.get_queue(queue_name)
        end = unix_time() + int(wait_seconds_timeout or 0)
        while True:
            if connection.gone():
                return []
            taken = _take(queue, int(count), int(visibility_timeout or 0), message_attribute_names or [])
            left = end - unix_time()
            if taken or left <= 0:
                return taken
            _wait(queue, min(left, _LOOK_SECONDS))
            if self.queues.get(queue_name) is not queue:
                raise QueueDoesNotExist()

    def delete_message(self: Queue, receipt_handle: str) -> None:
        if receipt_handle in self.deleted_messages:
            return
        message = _by_handle(self).get(receipt_handle)
        if message is None:
            raise ReceiptHandleIsInvalid()
        self.deleted_messages.update(one for one in message.all_receipt_handles if one)
        _drop(self, message)

    def send_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Message:
        queue = self.get_queue(queue_name)
        queue.sending = True
        try:
            return moto_send(self, queue_name, *args, **kwargs)
        finally:
            queue.sending = False

    def attributes(self: Queue) -> dict[str, Any]:
        # A send asks for one attribute; the counts among the others look at every message.
        if getattr(self, "sending", False):
            return {"ContentBasedDeduplication": str(self.content_based_deduplication).lower()}
        return moto_attributes(self)

    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        # An attribute that is not named stays as it is; moto takes the policy away.
        kept = {} if "Policy" in attributes or not hasattr(self, "_policy_json") else {"Policy": self.policy}
        moto_set_attributes(self, {**attributes, **kept}, now)

    Queue._set_attributes = set_attributes
    SQSBackend.receive_message = receive_message
    SQSBackend.send_message = send_message
    Queue.delete_message = delete_message
    Queue.attributes = property(attributes)
