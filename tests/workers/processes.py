"""Processes that tests start, watch and kill.

They are forked off a server that has imported ganzoo and run no operation yet: a process of their own, which can be
killed, without the seconds that importing TensorFlow takes.
"""

import multiprocessing
import os
import sys
import traceback

import tensorflow as tf

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["ganzoo"])


def start(log, target, *arguments):
    """Starts `target(*arguments)`, a function of a module; what it prints goes to the end of the file `log`."""
    process = CONTEXT.Process(target=_run, args=(str(log), target, arguments), daemon=True)
    process.start()
    return process


def shared_integer():
    """An integer that a process may set and its parent read."""
    return CONTEXT.RawValue("q", 0)


def join(process, log, seconds=300):
    """Waits for the end of a process; fails with its output unless it ended well."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0, f"exit code {process.exitcode}\n{log.read_text()}"


def run_all(folder, calls, at_once=2, seconds=600):
    """Runs functions in processes, a few at a time, and waits for all of them.

    Args:
        folder: Path. What the process `name` prints goes to the end of `folder / f"{name}.txt"`.
        calls: Dictionary, name -> (function of a module, *arguments).
        at_once: Integer, how many run at a time. Defaults to `2`: each needs a gigabyte.
    """
    waiting, running = list(calls), []
    while waiting or running:
        while waiting and len(running) < at_once:
            name = waiting.pop(0)
            running.append((name, start(folder / f"{name}.txt", *calls[name])))
        name, child = running.pop(0)
        join(child, folder / f"{name}.txt", seconds)


def _run(log, target, arguments):
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout.reconfigure(line_buffering=True)  # A killed process cannot flush.
    # Several run at once, beside the tests: with more threads than cores each waits for the others.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    try:
        target(*arguments)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        raise SystemExit(1) from None
