"""Callbacks for training: checkpoints, evaluation, pictures, guards."""

from ganzoo.callbacks.checkpoint import Checkpoint as Checkpoint
from ganzoo.callbacks.collapse_guard import CollapseGuard as CollapseGuard
from ganzoo.callbacks.critic_burn_in import CriticBurnIn as CriticBurnIn
from ganzoo.callbacks.critic_diagnostics import CriticDiagnostics as CriticDiagnostics
from ganzoo.callbacks.evaluate import Evaluate as Evaluate
from ganzoo.callbacks.latent_space import LatentSpace as LatentSpace
from ganzoo.callbacks.learning_curve import LearningCurve as LearningCurve
from ganzoo.callbacks.reduce_learning_rate import ReduceLearningRate as ReduceLearningRate
from ganzoo.callbacks.sample_grid import SampleGrid as SampleGrid
from ganzoo.callbacks.throughput import Throughput as Throughput
from ganzoo.callbacks.translation_grid import TranslationGrid as TranslationGrid
