"""Trained models by name: presets that come with ganzoo, from a folder, or from a hub."""
