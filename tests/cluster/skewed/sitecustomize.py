"""Sets the clock of a Python process wrong by CLOCK_SKEW_SECONDS: first on PYTHONPATH, it is read before all else."""

import datetime
import os
import time

SKEW = float(os.environ["CLOCK_SKEW_SECONDS"])
_real = datetime.datetime
_time, _time_ns, _gmtime, _localtime = time.time, time.time_ns, time.gmtime, time.localtime

time.time = lambda: _time() + SKEW
time.time_ns = lambda: _time_ns() + int(SKEW * 1e9)
time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)


class _AnyDatetime(type):
    """What the database's driver makes is a datetime, too."""

    def __instancecheck__(cls, value):
        return isinstance(value, _real)

    def __subclasscheck__(cls, other):
        return issubclass(other, _real)


class _Skewed(_real, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + datetime.timedelta(seconds=SKEW)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls):
        return cls.now()


_Skewed.__name__ = _Skewed.__qualname__ = "datetime"
_Skewed.__module__ = "datetime"
datetime.datetime = _Skewed  # type: ignore[misc]
