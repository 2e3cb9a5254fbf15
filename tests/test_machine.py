"""What a process asks of its machine, each in a process of its own."""

import platform
import subprocess
import sys

import pytest

LARGE_BLOCKS = """
import ctypes, resource
import img2img.machine as machine
if {kept}: machine.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def cleared_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(64 << 20)
    ctypes.memset(block, 1, 64 << 20)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

cleared_pages()
print(cleared_pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep what is freed")
def test_large_block_that_is_asked_for_again_costs_nothing() -> None:
    def cleared(kept: bool) -> int:
        command = [sys.executable, "-c", LARGE_BLOCKS.format(kept=kept)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert cleared(kept=True) < 20 < cleared(kept=False)  # of 16,384, or 32 where the system gives large ones
