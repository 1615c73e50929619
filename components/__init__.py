"""One folder is one step, one image and one task."""
