"""What a locustfile may raise to steer its user, and what it may have to catch."""


class LocustError(Exception):
    """A locustfile used the interface in a way that cannot work."""


class ResponseError(Exception):
    """Raised in a ``catch_response`` block: marks the request as failed."""


class CatchResponseError(Exception):
    """Wraps the text given to ``response.failure("…")``."""


class MissingWaitTimeError(LocustError):
    """Neither the task set nor its user says how long to wait."""


class InterruptTaskSet(Exception):
    """Leaves the running task set; raised by ``TaskSet.interrupt``."""

    def __init__(self, reschedule: bool = True) -> None:
        """With ``reschedule`` the parent picks its next task without waiting first."""
        self.reschedule = reschedule


class StopTest(Exception):
    """Ends the whole run."""


class StopUser(Exception):
    """Ends the user that raises it."""


class RescheduleTask(Exception):
    """Ends the running task as ``return`` would: wait, then the next task."""


class RescheduleTaskImmediately(Exception):
    """Ends the running task; the next one follows without a wait."""


class RunnerAlreadyExistsError(Exception):
    """An environment can have one runner only."""


class RPCError(Exception):
    """The connection between processes is broken; only Locust's processes raise it, as the following."""


class RPCSendError(Exception):
    """A message could not be sent to another process."""


class RPCReceiveError(Exception):
    """A message of another process could not be read."""

    def __init__(self, *args: object, addr: object = None) -> None:
        super().__init__(*args)
        #: Whose message it was.
        self.addr = addr
