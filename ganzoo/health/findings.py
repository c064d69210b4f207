"""Findings: known problems of a set-up or a critic."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """A problem that is known to spoil a training, found by `model.check` or `CriticDiagnostics`.

    Args:
        name: String, such as `"momentum_with_clipping"`.
        message: String, what was found, why it is bad, and what to do.
        reference: String, the paper that explains it.
    """

    name: str
    message: str
    reference: str

    def __str__(self):
        return f"{self.name}: {self.message} [{self.reference}]"
