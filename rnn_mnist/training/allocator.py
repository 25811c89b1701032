"""The C library's memory allocator, told to keep what PyTorch will ask for again."""

import ctypes
import platform
from functools import cache

# Their numbers in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_INT = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Let freed memory stay with this process, from now until it ends; whether that could be arranged.

    glibc gives large buffers back to the kernel as soon as they are freed, and each step of an LSTM asks for the same
    ones again: 12,000 page faults and 20 of 48 ms a step of two layers of 128. Only glibc has the switch (mallopt(3));
    nothing happens elsewhere. The bits of no result depend on it.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    # Trimming less often alone makes steps slower.
    if library.mallopt(_M_MMAP_THRESHOLD, 2**30) != 1:
        return False
    return bool(library.mallopt(_M_TRIM_THRESHOLD, _LARGEST_INT) == 1)
