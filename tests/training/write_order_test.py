"""No variable is written while an operation of the same step may still read its old value.

TensorFlow orders reads and writes when it traces a step. Its optimizer of graphs then drops orders that look
superfluous, and drops too many. The test looks at the graph that runs.
"""

import functools

import numpy as np
import pytest
from tensorflow.python.eager import context

import ganzoo
from tests.check_model import tiny


def graphs_that_run(function):
    """The graphs of the functions that are run for the first time in a call, lists of nodes."""
    context.context().enable_run_metadata()
    try:
        function()
        functions = context.context().export_run_metadata().function_graphs
    finally:
        context.context().disable_run_metadata()
    return [list(graph.post_optimization_graph.node) for graph in functions]


def unordered(nodes):
    """Pairs of a write and a read of one variable of which neither waits for the other; and the count of writes."""
    inputs = {node.name: [name.lstrip("^").split(":")[0] for name in node.input] for node in nodes}

    @functools.cache
    def before(name):
        """The names of all that an operation waits for."""
        direct = [given for given in inputs[name] if given in inputs]
        return frozenset(direct).union(*map(before, direct))

    reads, writes = (
        [node for node in nodes if node.op in operations]
        for operations in (
            ("ReadVariableOp",),
            ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"),
        )
    )
    found = [
        (write.name, read.name)
        for write in writes
        for read in reads
        if inputs[write.name][0] == inputs[read.name][0]
        and read.name not in before(write.name)
        and write.name not in before(read.name)
    ]
    return found, len(writes)


@pytest.mark.parametrize(
    "cls, settings",
    [
        ("DRAGAN", {"filters": 2}),
        ("R3GAN", {"filters": 2, "networks": ganzoo.networks.dcgan}),
        ("WGANGP", {"filters": 2, "discriminator_steps": 1}),
        ("SNGAN", {"filters": 2, "networks": ganzoo.networks.dcgan, "discriminator_steps": 1}),
    ],
)
def test_every_write_waits_for_the_reads_before_it(cls, settings):
    model = tiny(getattr(ganzoo, cls), (16, 16, 1), **settings)
    images = np.random.default_rng(0).uniform(-1, 1, (8 * model.batches_per_step, 16, 16, 1)).astype("float32")
    graphs = graphs_that_run(lambda: model.fit(images, batch_size=8, epochs=1, verbose=0, check=False))
    found, writes = zip(*map(unordered, graphs), strict=True)
    assert max(writes) >= len(model.trainable_variables)
    assert not sum(found, [])
