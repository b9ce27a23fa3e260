"""Runs a command and writes its peak memory and seconds as JSON to a file.

Used as `python -I -S measure.py OUTPUT COMMAND...`. A program's peak counts
from the memory of the process that started it, so that one started from a
test process of 300 MB would seem to need 300 MB; this one is small.
"""

import os
import sys
import time


def main() -> int:
    """Run the command; exit as it did, with 128 + N after signal N."""
    started = time.monotonic()
    pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    code = os.waitstatus_to_exitcode(status)
    with open(sys.argv[1], "w") as output:
        rss_bytes = usage.ru_maxrss * 1024
        output.write(
            f'{{"exit_code": {code}, "rss_bytes": {rss_bytes},'
            f' "seconds": {seconds:.3f}}}'
        )
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
