"""What can go wrong by no fault of the program."""


class ExpectedError(Exception):
    """A mistake or a failure that its user can act on; the message is one line, and no traceback is needed."""
