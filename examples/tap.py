"""What the tests of the Python examples share: checks that are printed as TAP, the Test Anything Protocol."""
import sys

_count = 0
_failed = 0


def check(cell, what, got, expected):
    """Compare two values. The cell is the column of the table in doc/clients.md that the check belongs to."""
    global _count, _failed
    _count += 1
    if got == expected:
        print(f"ok {_count} - {cell}: {what}", flush=True)
        return
    _failed += 1
    print(f"not ok {_count} - {cell}: {what}\n#      got {got!r}\n# expected {expected!r}", flush=True)


def skip_all(reason):
    """End the test, since what it needs is not there."""
    print(f"1..0 # SKIP {reason}")
    sys.exit()


def done():
    """Print how many checks there were. Without this last call a test counts as broken off."""
    print(f"1..{_count}")
    sys.exit(_failed > 0)
