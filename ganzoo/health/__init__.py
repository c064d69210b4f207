"""Health of a training: warnings about bad set-ups, vital signs, and diagnoses."""

from ganzoo.health.diagnoses import Diagnosis as Diagnosis
from ganzoo.health.findings import Finding as Finding
from ganzoo.health.linter import check as check
from ganzoo.health.linter import warn as warn
