"""What a caller can get wrong: each is one line that names the value and the cure, and status 2."""


class CallerError(ValueError):
    """Something that the caller can mend."""


class SettingError(CallerError):
    """A setting has no meaning; the message names it and the cure."""


class OutputError(CallerError):
    """The output folder can't be used; the message names it and the cure."""
