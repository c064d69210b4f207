import gc
import os
from pathlib import Path

import ganzoo
from tests.check_model import tiny


def resident_megabytes():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_a_thousand_steps_with_samples_add_no_graphs_and_no_memory():
    model = tiny(ganzoo.WGANGP, (2,), hidden=(8,), discriminator_steps=2, ema_decay=0.9)
    data = ganzoo.data.ring(2000, batch_size=8)

    def train(times):
        for _ in range(times):
            model.fit(data, steps_per_epoch=50, verbose=0)
            model.generate(16)
            model.generate(7, seed=3)

    # Python runs these once for each graph.
    traced = []
    for name in ("train_step", "update_discriminator", "update_generator"):
        setattr(model, name, counting(traced, getattr(model, name)))

    train(4)
    decode, before, memory = model._decode, list(traced), resident_megabytes()
    train(20)
    assert model.steps_done == 1200
    assert traced == before
    assert model._decode is decode and decode.experimental_get_tracing_count() == 1
    assert resident_megabytes() - memory < 20


def counting(calls, method):
    def counted(*args):
        calls.append(method.__name__)
        return method(*args)

    return counted
