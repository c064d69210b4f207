"""Divergences and distances between distributions: in closed form, by linear programming, and by training a network."""

from ganzoo.divergences.discrete import f_divergence as f_divergence
from ganzoo.divergences.discrete import jensen_shannon as jensen_shannon
from ganzoo.divergences.discrete import kl as kl
from ganzoo.divergences.discrete import reverse_kl as reverse_kl
from ganzoo.divergences.discrete import total_variation as total_variation
from ganzoo.divergences.estimators import estimate_density_ratio as estimate_density_ratio
from ganzoo.divergences.estimators import estimate_jensen_shannon as estimate_jensen_shannon
from ganzoo.divergences.estimators import estimate_wasserstein as estimate_wasserstein
from ganzoo.divergences.gaussians import gaussian_energy_distance as gaussian_energy_distance
from ganzoo.divergences.gaussians import gaussian_jensen_shannon as gaussian_jensen_shannon
from ganzoo.divergences.gaussians import gaussian_kl as gaussian_kl
from ganzoo.divergences.gaussians import gaussian_total_variation as gaussian_total_variation
from ganzoo.divergences.gaussians import gaussian_wasserstein as gaussian_wasserstein
from ganzoo.divergences.transport import kantorovich_dual as kantorovich_dual
from ganzoo.divergences.transport import optimal_transport as optimal_transport
from ganzoo.divergences.transport import sinkhorn as sinkhorn
from ganzoo.divergences.transport import sliced_wasserstein as sliced_wasserstein
from ganzoo.divergences.transport import wasserstein as wasserstein
from ganzoo.divergences.transport import wasserstein_1d as wasserstein_1d
