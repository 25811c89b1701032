"""The exceptions of jobs, as the process that launched them sees them."""

_SHOWN = "__workstation_launcher_shown__"


def mark_as_shown(error: BaseException) -> None:
    """Note that the launcher has listed this failure of a job, with its cause and its log."""
    setattr(error, _SHOWN, True)


def already_shown(error: BaseException) -> bool:
    """Whether an exception that came out of a sweep is a job's, and listed: an app need not print it again."""
    return getattr(error, _SHOWN, False)
