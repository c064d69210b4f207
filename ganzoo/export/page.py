"""placeholder"""


def export(model, path):
    pass
