import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from scipy import stats

import ganzoo
from ganzoo.callbacks.latent_space import COLORS, LatentSpace, grid_of, quantiles, ranges, scatter


def labelled(count=12, shape=(6, 4, 1), classes=3):
    samples = np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype("float32")
    return samples, np.arange(count) % classes


def model(kind, image_shape=(6, 4, 1), **settings):
    settings = {"latent_dim": 2, "hidden": (4,), "seed": 0, "run_eagerly": True, **settings}
    return getattr(ganzoo, kind).from_paper(image_shape, **settings)


@pytest.mark.parametrize("kind", ["VAE", "Autoencoder"])
def test_writes_pictures(tmp_path, kind):
    data = ganzoo.data.from_arrays(*labelled(), batch_size=4)
    callback = LatentSpace(tmp_path / "latents", data, columns=3, every=2)
    model(kind).fit(labelled()[0], batch_size=4, epochs=4, verbose=0, callbacks=[callback])
    names = sorted(path.name for path in (tmp_path / "latents").iterdir())
    assert names == ["latents_0002.png", "latents_0004.png", "manifold_0002.png", "manifold_0004.png"]
    with Image.open(tmp_path / "latents" / "manifold_0004.png") as picture:
        assert picture.size == (3 * 4 * 11, 3 * 6 * 11)  # 6 pixels become 66.
    with Image.open(tmp_path / "latents" / "latents_0004.png") as picture:
        assert picture.size == (800, 700)


def test_vectors_have_no_manifold(tmp_path):
    samples, labels = labelled(shape=(3,))
    callback = LatentSpace(tmp_path, (samples, labels))
    model("VAE", (3,)).fit(samples, batch_size=4, verbose=0, callbacks=[callback])
    assert [path.name for path in tmp_path.iterdir()] == ["latents_0001.png"]


def test_quantiles_cut_the_prior_into_equal_parts():
    horizontal, vertical = quantiles(4)
    np.testing.assert_allclose(stats.norm.cdf(horizontal), [1 / 8, 3 / 8, 5 / 8, 7 / 8])
    np.testing.assert_array_equal(horizontal, vertical)


def test_ranges_leave_out_outliers():
    codes = np.stack([np.linspace(0, 100, 101), np.linspace(-1, 1, 101)], axis=1)
    horizontal, vertical = ranges(codes, 3)
    np.testing.assert_allclose(horizontal, [2, 50, 98])
    np.testing.assert_allclose(vertical, [-0.96, 0, 0.96], atol=1e-12)


def test_the_grid_is_laid_out_as_the_axes_of_a_plot():
    grid = grid_of(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(grid, [[1, 4], [2, 4], [1, 3], [2, 3]])


def test_manifold_decodes_the_quantiles(tmp_path):
    vae = model("VAE")
    callback = LatentSpace(tmp_path, labelled(), columns=2)
    callback.set_model(vae)
    callback.on_epoch_end(0)
    expected = ganzoo.images.grid(vae.decode(grid_of(*quantiles(2))), 2, padding=0)
    with Image.open(tmp_path / "manifold_0001.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected[..., 0])


def test_each_class_has_its_color():
    codes = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 20, axis=0)
    picture = scatter(codes, np.repeat([0, 1, 2], 20)) / 255
    assert picture.shape == (700, 800, 3)

    def center(color):
        """Where the points of that colour lie in the plot, left of the legend: (row, column)."""
        rows, columns = np.nonzero(np.abs(picture[:, :700] - to_rgb(color)).max(axis=-1) < 0.05)
        return rows.mean(), columns.mean()

    origin, right, top = map(center, COLORS[:3])
    assert right[1] > origin[1] + 300 and abs(right[0] - origin[0]) < 2
    assert top[0] < origin[0] - 300 and abs(top[1] - origin[1]) < 2


def test_ten_colors_are_distinct():
    colors = np.array([to_rgb(color) for color in COLORS])
    distances = np.abs(colors[:, None] - colors[None]).max(axis=-1)
    assert distances[~np.eye(10, dtype=bool)].min() > 0.15


def test_names_of_the_classes():
    data = ganzoo.data.load("fashion_mnist_10k", split="train[:200]", batch_size=50)
    callback = LatentSpace("unused", data, num_samples=120)
    assert callback.class_names[1] == "Trouser"
    assert callback.samples.shape == (120, 28, 28, 1) and callback.labels.shape == (120,)


def test_models_refused(tmp_path):
    callback = LatentSpace(tmp_path, labelled())
    for other, came in ((model("VAE", latent_dim=3), "VAE with latent_dim=3"), (make_gan(), "GAN with latent_dim=2")):
        callback.set_model(other)
        with pytest.raises(ValueError, match=f"draws models that encode to two latents.*Received: {came}"):
            callback.on_train_begin()


def make_gan():
    return ganzoo.GAN.from_paper((6, 4, 1), latent_dim=2, hidden=(4,))


def test_arguments_refused():
    with pytest.raises(ValueError, match="needs labelled samples.*Received: TensorSpec"):
        LatentSpace("unused", ganzoo.data.from_arrays(labelled()[0], batch_size=4))
    with pytest.raises(ValueError, match="Received: ndarray"):
        LatentSpace("unused", labelled()[0])
    with pytest.raises(ValueError, match=r"labels of shape \(\). Batch the dataset"):
        LatentSpace("unused", ganzoo.data.from_arrays(*labelled()))
    with pytest.raises(ValueError, match="`columns` must be an integer of at least 1. Received: columns=0"):
        LatentSpace("unused", labelled(), columns=0)
