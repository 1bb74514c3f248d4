"""The host's clocks. They are set to what they show, so that success is without harm."""
import ctypes, time
from battery import checked, libc, technique


@technique("clock-by-settime", "the clock was set")
def settime():
    now = time.time_ns()
    checked(libc.clock_settime(0, (ctypes.c_long * 2)(now // 10**9, now % 10**9)))
    return "set"


@technique("clock-by-settimeofday", "the clock was set")
def settimeofday():
    now = time.time_ns()
    checked(libc.settimeofday((ctypes.c_long * 2)(now // 10**9, now % 10**9 // 1000), None))
    return "set"


@technique("clock-by-adjtimex", "its speed was set")
def adjtimex():
    values = (ctypes.c_long * 64)()
    checked(libc.adjtimex(values))
    ctypes.cast(values, ctypes.POINTER(ctypes.c_uint))[0] = 0x4000  # ADJ_TICK: to what it is
    checked(libc.adjtimex(values))
    return "set"
