import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import images


def test_to_uint8_rounds_and_saturates():
    values = tf.constant([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    assert images.to_uint8(values).numpy().tolist() == [0, 0, 64, 128, 191, 255, 255]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_to_uint8_accepts_every_float_type(dtype):
    assert images.to_uint8(tf.constant([-1, 0, 1], dtype)).numpy().tolist() == [0, 128, 255]


def test_to_uint8_inverts_the_scaling_of_every_pixel_value():
    pixels = np.arange(256, dtype="uint8")
    scaled = pixels.astype("float32") / 127.5 - 1
    np.testing.assert_array_equal(tf.function(images.to_uint8)(scaled), pixels)


def test_grid_places_images_row_by_row():
    values = np.arange(1, 6, dtype="uint8")
    pictures = np.broadcast_to(values[:, None, None, None], (5, 3, 4, 1))
    picture = images.grid(pictures, padding=1, scale=1)  # 3 columns, 2 rows
    assert picture.shape == (1 + 2 * 4, 1 + 3 * 5, 1)
    centres = picture[2::4, 2::5, 0]
    assert centres.tolist() == [[1, 2, 3], [4, 5, 255]]
    assert (picture[[0, 4, 8]] == 255).all() and (picture[:, [0, 5, 10, 15]] == 255).all()


def test_grid_enlarges_small_images_and_keeps_columns():
    picture = images.grid(np.zeros((20, 28, 28, 3), "float32"), columns=10)
    assert picture.shape == (2 * 58 + 2, 10 * 58 + 2, 3)
    assert picture[10, 10].tolist() == [128] * 3


def test_grid_does_not_enlarge_large_images():
    assert images.grid(np.zeros((1, 64, 64, 4), "uint8"), padding=0).shape == (64, 64, 4)


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 8, 8, 2), (0, 8, 8, 1), (4, 2)])
def test_grid_refuses_what_is_no_image(shape):
    with pytest.raises(ValueError, match=r"1, 3 or 4 channels; received shape"):
        images.grid(np.zeros(shape, "uint8"))


def test_scatter_draws_generated_points_over_real_ones():
    real = np.array([[-1.0, 0.0], [0.0, np.nan]])
    picture = images.scatter(np.full((50, 2), 0.5), real)
    assert picture.shape == (500, 500, 3) and picture.dtype == np.uint8
    right_top, left = picture[:250, 250:], picture[:, :250]
    blue = lambda part: ((part[..., 2] > 150) & (part[..., 0] < 60)).sum()  # noqa: E731
    assert blue(right_top[60:]) > 5 and blue(left[60:]) == 0


def test_scatter_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"shape \(count, 2\); received \(4, 3\)"):
        images.scatter(np.zeros((4, 3)))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_round_trip(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, channels), "uint8")
    images.save_png(tmp_path / "new" / "a.png", picture)
    with Image.open(tmp_path / "new" / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image).reshape(picture.shape), picture)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]


def test_gif_holds_every_frame_for_its_duration(tmp_path):
    frames = [np.full((8, 8, 3), value, "uint8") for value in (0, 100, 200)]
    images.save_gif(tmp_path / "a.gif", iter(frames), duration=[1.0, 0.2, 2.0])
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3 and gif.info["loop"] == 0
        for index, (value, milliseconds) in enumerate([(0, 1000), (100, 200), (200, 2000)]):
            gif.seek(index)
            assert gif.info["duration"] == milliseconds
            assert gif.convert("RGB").getpixel((4, 4)) == (value,) * 3


def test_gif_refuses_no_frames(tmp_path):
    with pytest.raises(ValueError, match="no frames"):
        images.save_gif(tmp_path / "a.gif", [])


def test_a_failed_write_keeps_the_file_before(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("before")
    with pytest.raises(OSError, match="disk"), images.replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("classes", "count", "columns"),
    [(2, 64, 8), (3, 64, 9), (5, 64, 10), (6, 64, 6), (10, 64, 10), (2, 4, 2), (1, 9, 3)],
)
def test_few_classes_repeat(classes, count, columns):
    """64 samples of two classes would be a strip of 32 rows."""
    names = [f"class {index}" for index in range(classes)]
    assert images.repeated_columns(classes, names, count) == (columns, names * (columns // classes))
    assert images.repeated_columns(classes, None, count) == (columns, None)
