"""The parts of `fit`: the checked stream of data, conditions, the log, Keras' loop begun at any step."""
