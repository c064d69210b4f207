"""What a training step costs: the arithmetic, traffic and memory of its graph, counted without running it.

One multiplication and addition is 2 FLOP. Only convolutions and matrix products count as FLOP. For all other operations
the bytes that they read and write count. The graph is the graph that trains, so a penalty's second derivative counts as
TensorFlow computes it. Operations whose results nobody uses are left out, as TensorFlow leaves them out.
"""

import dataclasses
import math

import tensorflow as tf

CONVOLUTIONS = ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
DEPTHWISE = ("DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter")
PRODUCTS = ("MatMul", "BatchMatMulV2", "BatchMatMul")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
# Operations that move no data: they give a tensor another name or shape, or are done before the step runs.
FREE = ("Const", "Identity", "IdentityN", "NoOp", "Placeholder", "ReadVariableOp", "Reshape", "Shape", "StopGradient")
ALIASES = ("Identity", "Reshape", "StopGradient")


@dataclasses.dataclass
class Cost:
    """The cost of a graph.

    Args:
        convolution, product: Floats, FLOP of convolutions and of matrix products.
        bytes: Float, bytes that the other operations read and write.
        operations: Integer, operations that are run.
        live_bytes: Float, the most bytes of results that are needed at a time.
        branches: Integer, loops and conditions. A loop counts as a single round, of a condition the dearer branch.
    """

    convolution: float = 0.0
    product: float = 0.0
    bytes: float = 0.0
    operations: int = 0
    live_bytes: float = 0.0
    branches: int = 0

    def __add__(self, other):
        sums = {
            field.name: getattr(self, field.name) + getattr(other, field.name) for field in dataclasses.fields(self)
        }
        return Cost(**{**sums, "live_bytes": max(self.live_bytes, other.live_bytes)})

    @property
    def flops(self):
        return self.convolution + self.product


def cost_of_step(model, element_spec):
    """The `Cost` of a training step of a compiled model.

    Args:
        model: `GenerativeModel`. Its step is traced, and not run.
        element_spec: `tf.TensorSpec`s of the data of a step, with all sizes.
    """
    step = tf.function(model.train_step, autograph=False)
    return cost_of(step.get_concrete_function(element_spec))


def cost_of(function):
    """The `Cost` of a call of a `ConcreteFunction`."""
    graph = function.graph
    definition = graph.as_graph_def(add_shapes=True)
    library = {each.signature.name: each for each in definition.library.function}
    ends = [tensor.op.name for tensor in graph.outputs]
    return Counter(library).body(definition.node, ends)


class Counter:
    """Counts the nodes of functions, and keeps the cost of functions that are called several times.

    Args:
        library: Dictionary, name -> `FunctionDef`.
    """

    def __init__(self, library):
        self.library, self.known = library, {}

    def function(self, name, inputs):
        """The cost of a call.

        Args:
            name: String.
            inputs: List of `(shape, bytes of a number)`, the arguments.
        """
        key = name, tuple(inputs)
        if key not in self.known:
            definition = self.library[name]
            ends = [source(text) for text in (*definition.ret.values(), *definition.control_ret.values())]
            arguments = {arg.name: [result] for arg, result in zip(definition.signature.input_arg, inputs)}
            self.known[key] = self.body(definition.node_def, ends, arguments)
        return self.known[key]

    def body(self, nodes, ends, arguments=()):
        """The cost of a list of `NodeDef`s, of which only what `ends` and all changes of variables need is run."""
        nodes = needed(nodes, ends)
        shapes = {**dict(arguments), **{node.name: outputs(node) for node in nodes}}
        total = Cost()
        for node in nodes:
            total += self.node(node, shapes)
        total.live_bytes = max(total.live_bytes, peak(nodes, ends))
        return total

    def node(self, node, shapes):
        inputs = [shape_of(text, shapes) for text in node.input if not text.startswith("^")]
        if node.op in CALLS:
            return self.function(node.attr["f"].func.name, inputs)
        if node.op in ("While", "StatelessWhile"):
            return dataclasses.replace(self.function(node.attr["body"].func.name, inputs), branches=1)
        if node.op in ("If", "StatelessIf"):
            sides = [self.function(node.attr[f"{side}_branch"].func.name, inputs[1:]) for side in ("then", "else")]
            return dataclasses.replace(max(sides, key=lambda cost: (cost.flops, cost.bytes)), branches=1)
        if node.op in FREE:
            return Cost()
        if node.op in (*CONVOLUTIONS, *DEPTHWISE):
            return Cost(convolution=2.0 * multiplications(node, inputs, shapes[node.name][0][0]), operations=1)
        if node.op in PRODUCTS:
            (shape, _), summed = shapes[node.name][0], inputs[0][0]
            turned = any(node.attr[name].b for name in ("transpose_a", "adj_x"))
            return Cost(product=2.0 * math.prod(shape) * summed[-2 if turned else -1], operations=1)
        moved = sum(map(size, [*inputs, *shapes[node.name]]))
        return Cost(bytes=moved, operations=1)


def multiplications(node, inputs, result):
    """Multiplications of a convolution or a gradient of it: for each pixel of the smaller map, the kernel."""
    if node.op.endswith("BackpropFilter"):
        kernel, small = result, inputs[2][0]
    elif node.op.endswith("BackpropInput"):
        kernel, small = inputs[1][0], inputs[2][0]
    else:
        kernel, small = inputs[1][0], result
    channels_first = node.attr["data_format"].s == b"NCHW"
    pixels = math.prod(small[2:]) if channels_first else math.prod(small[1:-1])
    return small[0] * pixels * math.prod(kernel)


# === Nodes ===


def source(text):
    """The name of the node in `node:output:0`, `node:0`, `node` or `^node`."""
    return text.lstrip("^").partition(":")[0]


def needed(nodes, ends):
    """The nodes that lead to `ends` or change a variable, in their order."""
    by_name = {node.name: node for node in nodes}
    changes = [node.name for node in nodes if node.op.startswith(("Assign", "ResourceApply", "StatefulPartitioned"))]
    found, waiting = set(), [name for name in (*ends, *changes) if name in by_name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [source(text) for text in by_name[name].input if source(text) in by_name]
    return [node for node in nodes if node.name in found]


def outputs(node):
    """List of `(shape, bytes of a number)` of the results of a node. Unknown sizes count as 1."""
    dtype = next((node.attr[name].type for name in ("T", "dtype", "DstT", "Tout") if node.attr[name].type), 1)
    try:
        width = tf.dtypes.as_dtype(dtype).size or 0
    except TypeError:
        width = 0
    shapes = node.attr["_output_shapes"].list.shape
    return [(tuple(max(1, dim.size) for dim in shape.dim), width) for shape in shapes]


def shape_of(text, shapes):
    """The shape and the bytes of a number of an input. What the main graph captures counts as empty."""
    found = shapes.get(source(text)) or [((), 0)]
    last = text.rpartition(":")[2]
    return found[min(int(last), len(found) - 1) if last.isdigit() else 0]


def size(result):
    """The bytes of a result of `outputs`."""
    shape, width = result
    return math.prod(shape) * width


def peak(nodes, ends):
    """The most bytes of results that are alive at a time, if the nodes run in their order."""
    first = {}  # Name of a node -> the node whose memory it shares.
    last_use, sizes = {}, {}
    for place, node in enumerate(nodes):
        sources = [source(text) for text in node.input]
        first[node.name] = first.get(sources[0], node.name) if node.op in ALIASES and sources else node.name
        sizes[node.name] = 0 if node.op in FREE else sum(map(size, outputs(node)))
        for name in (*sources, node.name):
            last_use[first.get(name, name)] = place
    for name in ends:
        last_use[first.get(name, name)] = len(nodes)
    dying = {}
    for name, place in last_use.items():
        dying.setdefault(place, []).append(name)
    alive = most = 0
    for place, node in enumerate(nodes):
        alive += sizes[node.name]
        most = max(most, alive)
        alive -= sum(sizes.get(name, 0) for name in dying.get(place, ()))
    return most
