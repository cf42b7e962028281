"""Decides whether the recorded history of one object could have happened one operation after the
other, each at some moment between its call and its return (Wing and Gong, "Testing and Verifying
Concurrent Objects", 1993; with the memory of visited states that Lowe added in 2017).

A model is a function (state, operation) -> (state, result); states can be hashed.
"""

import dataclasses
import itertools


@dataclasses.dataclass(frozen=True)
class Operation:
    """What one client did: `command` was sent at `call`, `result` had arrived at `end`."""
    call: int
    end: int
    command: tuple
    result: object


class _Event:
    """A call, or a return where `end` is None, in a list linked both ways."""

    def __init__(self, number, operation, end):
        self.number = number
        self.operation = operation
        self.end = end  # of a call: its return
        self.before = self.after = None

    def remove(self):
        self.before.after = self.after
        if self.after:
            self.after.before = self.before

    def put_back(self):
        self.before.after = self
        if self.after:
            self.after.before = self


def _events(history):
    """The list's head; the events follow in the order of their times."""
    timed = []
    for number, operation in enumerate(history):
        end = _Event(number, operation, None)
        # Of equal times the call comes first: the operations may have overlapped.
        timed.append((operation.call, 0, number, _Event(number, operation, end)))
        timed.append((operation.end, 1, number, end))
    head = _Event(-1, None, None)
    events = [head] + [event for *_, event in sorted(timed, key=lambda item: item[:3])]
    for event, following in itertools.pairwise(events):
        event.after, following.before = following, event
    return head


def is_linearizable(history, model, state):
    """True if the operations, begun in `state`, can be ordered so that `model` gives every result."""
    head = _events(history)
    done = 0  # the operations in the order so far, as bits
    visited = set()
    order = []
    event = head.after
    while head.after:
        if event.end:
            following, result = model(state, event.operation.command)
            bits = done | 1 << event.number
            if result == event.operation.result and (bits, following) not in visited:
                visited.add((bits, following))
                order.append((event, state))
                state, done = following, bits
                event.remove()
                event.end.remove()
                event = head.after
            else:
                event = event.after
        else:
            # This operation is over and found no place: the latest choice was wrong.
            if not order:
                return False
            event, state = order.pop()
            done &= ~(1 << event.number)
            event.end.put_back()
            event.put_back()
            event = event.after
    return True
