"""Whether a training goes well: set-ups that train badly, vital signs, and what they mean."""

from ganzoo.health.diagnoses import Diagnosis as Diagnosis
from ganzoo.health.findings import Finding as Finding
from ganzoo.health.linter import check as check
from ganzoo.health.linter import warn as warn
