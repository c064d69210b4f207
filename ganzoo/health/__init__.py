"""Whether a training goes well: set-ups that train badly, vital signs, and what they mean."""
