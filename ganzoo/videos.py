"""Video formats, and whether this machine can write them. Imports nothing slow."""

import shutil
import subprocess
from pathlib import Path

FORMATS = (".gif", ".webp", ".mp4")


def check(path):
    """Raises a `ValueError` unless this machine can write a video with this suffix.

    Args:
        path: String or `Path` of the file.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"A video is a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file. Received: {str(path)!r}")
    if suffix == ".webp":
        from PIL import features  # Not at the top, so that a typo is reported before anything is loaded.

        if not features.check("webp"):
            raise ValueError("The Pillow of this machine was built without WebP. Write a .gif file.")
    if suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise ValueError("An .mp4 file needs the program ffmpeg, which is not on the PATH. Write a .gif or .webp file.")


def write_mp4(path, frames, fps):
    """Writes frames as H.264 in an MP4 file, with the program ffmpeg.

    Args:
        path: `Path`, with any suffix.
        frames: Iterable of uint8 arrays `(height, width, 3)` of the same size.
        fps: Float, frames per second.

    Raises:
        ValueError: If there are no frames, or ffmpeg fails.
    """
    frames = list(frames)
    if not frames:
        raise ValueError("A video needs one frame at least. Received: none")
    height, width, _ = frames[0].shape
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    # Many players need even sizes, and chroma at half the resolution.
    command += ["-r", str(fps), "-i", "-", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white", "-pix_fmt", "yuv420p"]
    pixels = b"".join(frame.tobytes() for frame in frames)
    done = subprocess.run([*command, "-f", "mp4", str(path)], input=pixels, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(f"ffmpeg wrote no video: {done.stderr.decode(errors='replace').strip()}")
