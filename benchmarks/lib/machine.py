"""What a record says of the machine and the versions that made it."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess


def processor():
    """A sentence about the processor, its cores and the memory."""
    model, flags = platform.processor() or platform.machine(), set()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            if key.strip() in ("cpu family", "model"):
                model += "" if f"{key.strip()} " in model else f", {key.strip()} {value.strip()}"
            if key.strip() == "flags":
                flags = set(value.split())
                break
    cores = len(os.sched_getaffinity(0))
    names = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    features = ", ".join(f"{name}: {'yes' if name in flags else 'no'}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}; {cores} cores, {memory:.0f} GiB; {features}"


def versions(*packages):
    """Dictionary, package -> its version in this interpreter, if it is installed."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def commit():
    """The commit of the checkout, with `+` behind it if files have changed. `None` outside of a checkout."""
    here = pathlib.Path(__file__).parent

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True).stdout.strip()

    head = git("rev-parse", "--short", "HEAD")
    return f"{head}{'+' if git('status', '--porcelain', '--untracked-files=no') else ''}" if head else None
