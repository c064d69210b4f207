"""Trained models by name: presets that come with ganzoo, lie in a folder, or on a hub."""
