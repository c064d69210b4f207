"""Folders of real files: every kind of PNG and JPEG that people have, and broken ones."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.data import decoding, from_folder, reading
from ganzoo.data.image_files import files_of_split

RED = (255, 0, 0)


def write(path, color=RED, size=(8, 6), mode="RGB", **kwargs):
    """Writes an image of one color; `size` is (width, height), as in Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **kwargs)
    return path


def pixels(path, **kwargs):
    """All images of a folder as uint8, in the order of their names."""
    dataset = from_folder(path, shuffle=False, **kwargs)
    return dataset.source.images.numpy()


def test_flat_folder_has_no_labels(tmp_path):
    write(tmp_path / "b.png", (0, 255, 0))
    write(tmp_path / "a.jpg", quality=100, subsampling=0)
    (tmp_path / "notes.txt").write_text("passed over")
    write(tmp_path / ".hidden.png", size=(3, 3))
    dataset = from_folder(tmp_path, batch_size=2, shuffle=False)
    assert dataset.element_spec == tf.TensorSpec((2, 6, 8, 3), tf.float32)
    assert dataset.class_names is None
    (images,) = dataset
    np.testing.assert_allclose(images[0], np.broadcast_to([1, -1, -1], (6, 8, 3)), atol=0.03)
    np.testing.assert_array_equal(images[1], np.broadcast_to([-1, 1, -1], (6, 8, 3)))


def test_sub_folders_are_the_classes(tmp_path):
    for name in ("dog/1.png", "cat/deep/er/2.png", "dog/0.PNG", "Ant/x.bmp"):
        write(tmp_path / name)
    dataset = from_folder(str(tmp_path), shuffle=False)
    assert dataset.class_names == ["Ant", "cat", "dog"]
    assert [int(label) for _, label in dataset] == [0, 1, 2, 2]


def test_images_cover_the_size_and_are_cropped_at_the_centre(tmp_path):
    wide = np.zeros((100, 400, 3), "uint8")
    wide[:, 150:250] = RED
    Image.fromarray(wide).save(tmp_path / "0_wide.png")
    write(tmp_path / "1_small.png", size=(4, 4))
    write(tmp_path / "2_large.jpg", size=(1500, 3001), quality=100, subsampling=0)
    images = pixels(tmp_path, image_size=(32, 32))
    assert images.shape == (3, 32, 32, 3)
    assert np.abs(images[:, 2:-2, 2:-2].astype(int) - RED).max() <= 2


def test_sizes_that_differ_are_told(tmp_path):
    for index in range(3):
        write(tmp_path / f"{index}.png")
    write(tmp_path / "4.png", size=(5, 7))
    words = r"2 different sizes .*: 6 x 8 \(3 images\), 7 x 5 \(1 images\).*Pass image_size="
    with pytest.raises(ValueError, match=words):
        from_folder(tmp_path)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_mode_becomes_the_channels_asked_for(tmp_path, channels):
    kinds = {
        "1_bit": write(tmp_path / "a.png", 1, mode="1"),
        "grey": write(tmp_path / "b.png", 255, mode="L"),
        "grey alpha": write(tmp_path / "c.png", (255, 255), mode="LA"),
        "16 bit": write(tmp_path / "d.png", 65535, mode="I;16"),
        "palette": write(tmp_path / "e.gif", 255, mode="L"),
        "rgb": write(tmp_path / "f.png", (255, 255, 255)),
        "rgba": write(tmp_path / "g.png", (255, 255, 255, 255), mode="RGBA"),
        "cmyk": write(tmp_path / "h.jpg", (0, 0, 0, 0), mode="CMYK"),
        "webp": write(tmp_path / "i.webp", (255, 255, 255), lossless=True),
    }
    images = pixels(tmp_path, channels=channels)
    np.testing.assert_array_equal(images, np.full((len(kinds), 6, 8, channels), 255))


def test_16_bit_grey_is_scaled_not_clipped(tmp_path):
    values = np.array([[0, 257, 128 * 257, 65535]], "uint16")
    Image.fromarray(values).save(tmp_path / "a.png")
    assert pixels(tmp_path, channels=1).ravel().tolist() == [0, 1, 128, 255]


def test_what_is_transparent_is_white_or_stays(tmp_path):
    write(tmp_path / "0.png", (*RED, 0), mode="RGBA")
    palette = Image.new("P", (8, 6), 0)
    palette.putpalette([*RED, 0, 0, 0])
    palette.save(tmp_path / "1.png", transparency=0)
    write(tmp_path / "2.png", (*RED, 51), mode="RGBA")  # 51 / 255 is a fifth
    np.testing.assert_array_equal(pixels(tmp_path)[:, 0, 0], [[255, 255, 255], [255, 255, 255], [255, 204, 204]])
    assert pixels(tmp_path, channels=4)[:, 0, 0, 3].tolist() == [0, 0, 51]


def test_palette_and_cmyk_keep_their_colors(tmp_path):
    Image.new("RGB", (8, 6), RED).convert("P").save(tmp_path / "0.png")
    write(tmp_path / "1.jpg", (0, 255, 255, 0), mode="CMYK", quality=100)
    for name, mode in (("0.png", "P"), ("1.jpg", "CMYK")):
        with Image.open(tmp_path / name) as image:
            assert image.mode == mode
    assert np.abs(pixels(tmp_path).astype(int) - RED).max() <= 2


def test_rotations_of_a_camera_are_applied(tmp_path):
    picture = np.zeros((6, 8, 3), "uint8")
    picture[:, :4] = 255  # the left half, as stored
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: left becomes top
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=100, exif=exif)
    (image,) = pixels(tmp_path, channels=1)
    assert image.shape == (8, 6, 1)
    assert image[:3].min() > 240 and image[5:].max() < 15


def test_broken_files_are_named_and_left_out(tmp_path):
    rng = np.random.default_rng(0)
    for index in range(4):
        noise = rng.integers(0, 256, (64, 64, 3), "uint8")
        path = tmp_path / "ab"[index % 2] / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise).save(path)
    truncated = tmp_path / "a" / "0.jpg"
    truncated.write_bytes(truncated.read_bytes()[:1500])
    (tmp_path / "a" / "text.png").write_text("not an image")
    (tmp_path / "b" / "empty.png").touch()
    with pytest.warns(UserWarning, match="(?s)3 of 6 image files cannot be read.*left out") as record:
        dataset = from_folder(tmp_path, batch_size=3, shuffle=False)
    assert record[0].filename == __file__
    message = str(record[0].message)
    assert all(name in message for name in ("0.jpg", "text.png", "empty.png"))
    ((images, labels),) = dataset
    assert labels.numpy().tolist() == [0, 1, 1]  # a/2, b/1, b/3
    with Image.open(tmp_path / "a" / "2.jpg") as image:
        np.testing.assert_array_equal(dataset.source.images[0], np.asarray(image))
    assert images.shape == (3, 64, 64, 3)


def test_only_the_first_ten_broken_files_are_named(tmp_path):
    for index in range(13):
        (tmp_path / f"{index:02}.png").write_text("not an image")
    with pytest.raises(ValueError, match="(?s)13 of 13 image files cannot.*09.png.*and 3 more") as error:
        from_folder(tmp_path)
    assert "10.png" not in str(error.value)


def test_images_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    write(tmp_path / "a.png")
    monkeypatch.setattr(reading, "available_memory", lambda: 2**29)
    words = r"1 images of 20000 x 20000 x 3 bytes need 2.2 GiB .* but 0.5 GiB are available"
    with pytest.raises(ValueError, match=words):
        from_folder(tmp_path, image_size=(20000, 20000))


def test_available_memory_is_plausible():
    available = reading.available_memory()
    assert available is None or 2**20 < available < 2**50


@pytest.mark.parametrize(
    ("files", "kwargs", "words"),
    [
        ([], {}, "holds no image files"),
        (["a.png"], {"channels": 2}, "`channels` must be one of 1, 3, 4. Received: channels=2"),
        (["a.png"], {"image_size": 64}, r"must be \(height, width\)"),
        (["a.png"], {"seed": 2**63}, "`seed` must be an integer from 0"),
        (["a.png"], {"shuffle": "no"}, "`shuffle` must be True or False"),
        (["a.png"], {"batch_size": 2}, "batch_size=2 is larger than the dataset, which has 1"),
        (["a.png", "cats/b.png"], {}, "1 images, such as 'a.png', lie in .* beside the class folders"),
    ],
)
def test_refused(tmp_path, files, kwargs, words):
    for name in files:
        write(tmp_path / name)
    with pytest.raises(ValueError, match=words):
        from_folder(tmp_path, **kwargs)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no folder .*nowhere"):
        from_folder(tmp_path / "nowhere")


def test_a_path_may_begin_with_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "faces/a.png")
    assert len(from_folder("~/faces")) == 1
    with pytest.raises(ValueError, match="`path` must be a path, a string that is not empty"):
        from_folder("")


def test_a_wrong_batch_size_is_told_before_anything_is_decoded(tmp_path, monkeypatch):
    write(tmp_path / "a.png")
    monkeypatch.setattr(decoding, "decode_image", None)
    with pytest.raises(ValueError, match="`batch_size` must be an integer of at least 1"):
        from_folder(tmp_path, batch_size=0)


# === Depth and transparency: pixels computed by hand ===

DEPTHS = {
    "8 bits in 32": (np.array([[0, 1, 128, 255]], "int32"), "tif", [0, 1, 128, 255]),
    "16 bits in 32": (np.array([[0, 257, 32896, 65535]], "int32"), "tif", [0, 1, 128, 255]),
    "12 bits in 16": (np.array([[0, 16, 2048, 4095]], "uint16"), "png", [0, 1, 128, 255]),
    "10 bits in 16": (np.array([[0, 4, 514, 1023]], "uint16"), "tif", [0, 1, 128, 255]),
    "16 bits": (np.array([[0, 257, 32896, 65535]], "uint16"), "tif", [0, 1, 128, 255]),
    "floats to 1": (np.array([[0.0, 0.25, 0.5, 1.0]], "float32"), "tif", [0, 64, 128, 255]),
    "floats to 255": (np.array([[0.0, 1.0, 128.0, 255.0]], "float32"), "tif", [0, 1, 128, 255]),
}


@pytest.mark.filterwarnings("ignore:.*is taken for black to white")
@pytest.mark.parametrize("name", DEPTHS)
def test_depth(name, tmp_path):
    values, suffix, expected = DEPTHS[name]
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    assert pixels(tmp_path, channels=1).ravel().tolist() == expected
    np.testing.assert_array_equal(pixels(tmp_path, channels=3)[0, 0], np.array(expected)[:, None].repeat(3, 1))


def test_a_dark_picture_among_bright_ones_stays_dark(tmp_path):
    for name, top in (("dark", 257), ("bright", 65535)):
        Image.fromarray(np.array([[0, top]], "uint16")).save(tmp_path / f"{name}.png")
    assert pixels(tmp_path, channels=1)[:, 0, :, 0].tolist() == [[0, 255], [0, 1]]


def test_bits_that_are_not_used_are_told(tmp_path):
    Image.fromarray(np.array([[0, 4000]], "uint16")).save(tmp_path / "a.png")
    with pytest.warns(UserWarning, match="1 images of 16 bits hold values up to 4000: 0 to 4095 is taken for black"):
        pixels(tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([[0, 70_000]], "int32"), "pixels up to 70000, beyond every usual range"),
        (np.array([[-1, 5]], "int32"), "pixels down to -1: below black"),
        (np.array([[0, np.nan]], "float32"), "pixels that are NaN or infinite"),
        (np.array([[0, 300.0]], "float32"), "pixels up to 300"),
    ],
)
def test_depths_that_nobody_knows(values, words, tmp_path):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=words):
        from_folder(tmp_path)


def test_transparency_of_16_bits(tmp_path):
    """Grey 257 is see-through, and so white."""
    Image.fromarray(np.array([[257, 0, 65535]], "uint16")).save(tmp_path / "a.png", transparency=257)
    assert pixels(tmp_path, channels=1).ravel().tolist() == [255, 0, 255]
    assert pixels(tmp_path, channels=4)[0, 0, :, 3].tolist() == [0, 255, 255]


def test_grey_with_alpha(tmp_path):
    write(tmp_path / "a.png", (0, 51), mode="LA")  # A fifth of black on white.
    assert pixels(tmp_path, channels=1)[0, 0, 0].tolist() == [204]


# === Folders as people have them ===


def test_links_are_followed(tmp_path):
    write(tmp_path / "elsewhere/1.png")
    write(tmp_path / "elsewhere/deep/2.png")
    write(tmp_path / "root/dogs/3.png")
    (tmp_path / "root/cats").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "root")  # A circle ends.
    dataset = from_folder(tmp_path / "root", shuffle=False)
    assert dataset.class_names == ["cats", "dogs"]
    assert [int(label) for _, label in dataset] == [0, 0, 1]


def test_numbers_are_sorted_as_numbers(tmp_path):
    for name in ("10", "2", "1", "0"):
        write(tmp_path / name / "9.png", (int(name), 0, 0))
        write(tmp_path / name / "10.png", (int(name), 1, 0))
    dataset = from_folder(tmp_path, shuffle=False)
    assert dataset.class_names == ["0", "1", "2", "10"]
    assert dataset.source.images.numpy()[:, 0, 0, :2].tolist() == [[n, i] for n in (0, 1, 2, 10) for i in (0, 1)]


def test_an_empty_class_keeps_its_number(tmp_path):
    write(tmp_path / "a/1.png")
    write(tmp_path / "c/1.png")
    (tmp_path / "b").mkdir()
    with pytest.warns(UserWarning, match="class folders b .* hold no images. They keep their numbers"):
        dataset = from_folder(tmp_path, shuffle=False)
    assert dataset.class_names == ["a", "b", "c"]
    assert [int(label) for _, label in dataset] == [0, 2]


def test_a_root_with_train_and_test(tmp_path):
    for name in ("train/cat/1.png", "train/dog/1.png", "train/dog/2.png", "test/dog/3.png"):
        write(tmp_path / name)
    (tmp_path / "test/cat").mkdir()
    train = from_folder(tmp_path, shuffle=False)
    assert train.class_names == ["cat", "dog"] and [int(label) for _, label in train] == [0, 1, 1]
    with pytest.warns(UserWarning, match="cat"):
        test = from_folder(tmp_path, shuffle=False, split="test")
    assert test.class_names == ["cat", "dog"] and [int(label) for _, label in test] == [1]
    with pytest.raises(ValueError, match="no sub-folder 'validation'.*divided into: train, test"):
        from_folder(tmp_path, split="validation")


def test_classes_that_are_called_like_splits(tmp_path):
    """A picture of a train is no split."""
    for name in ("train/1.png", "plane/1.png", "car/1.png"):
        write(tmp_path / name)
    assert from_folder(tmp_path).class_names == ["car", "plane", "train"]


def test_slices_hold_images_out(tmp_path):
    """Every image in one part, every class in both, the same parts each time."""
    for index in range(60):
        write(tmp_path / "ab"[index % 2] / f"{index}.png", (index, 0, 0))
    parts = [from_folder(tmp_path, shuffle=False, split=split) for split in ("train[:80%]", "train[80%:]")]
    red = [set(part.source.images.numpy()[:, 0, 0, 0].tolist()) for part in parts]
    assert sum(len(part) for part in parts) == 60 and 40 <= len(parts[0]) <= 55  # About its share, by the hashes.
    assert not red[0] & red[1] and red[0] | red[1] == set(range(60))
    for part in parts:
        assert part.class_names == ["a", "b"] and {int(label) for _, label in part} == {0, 1}
    again = from_folder(tmp_path, shuffle=False, split="train[80%:]")
    np.testing.assert_array_equal(again.source.images, parts[1].source.images)


def test_new_files_move_no_others(tmp_path):
    """A percentage goes by the hash of each name alone: three parts, and whatever comes stays apart."""
    splits = ("train[:50%]", "train[50%:80%]", "train[-20%:]")

    def parts():
        found = [files_of_split(tmp_path, split)[0] for split in splits]
        assert sum(map(len, found)) == len({file for part in found for file in part}) == len(list(tmp_path.iterdir()))
        return [set(part) for part in found]

    for index in range(40):
        write(tmp_path / f"{index}.png", size=(1, 1))
    before = parts()
    for index in range(100, 120):
        write(tmp_path / f"{index}.png", size=(1, 1))
    after = parts()
    assert all(one < other for one, other in zip(before, after, strict=True))
    (tmp_path / "7.png").unlink()
    assert [part - {tmp_path / "7.png"} for part in after] == parts()
    assert len(files_of_split(tmp_path, "train[:13]")[0]) == 13
    assert files_of_split(tmp_path, "train[80%:]+train[:80%]")[0] == files_of_split(tmp_path, "train")[0]


def test_a_part_without_files_is_refused(tmp_path):
    write(tmp_path / "a.png")
    with pytest.raises(ValueError, match="selects none of the 1 samples. Ask for a larger part"):
        from_folder(tmp_path, split="train[99.9%:]")


def test_formats(tmp_path):
    """All that Pillow reads; pictures that it does not are counted."""
    for name in ("a.jfif", "b.tga", "c.jp2", "d.avif", "e.ico", "f.PNM"):
        if name != "d.avif" or ".avif" in Image.registered_extensions():
            write(tmp_path / name, size=(16, 16))
    (tmp_path / "g.heic").touch()
    (tmp_path / "h.svg").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.warns(UserWarning, match="Pillow cannot read 1 .heic, 1 .svg|Pillow cannot read 1 .svg, 1 .heic"):
        assert len(from_folder(tmp_path)) in (5, 6)


def test_no_permission_is_no_emptiness(tmp_path, monkeypatch):
    write(tmp_path / "a/1.png")

    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(PermissionError, match="No permission to read the folder"):
        from_folder(tmp_path)
