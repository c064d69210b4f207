"""The parts of `fit`: the checked stream of data, conditions, the log, and Keras' loop, which can begin at any step."""
