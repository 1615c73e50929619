"""Records that travel between rooms, their form on disk, and the seams. Import from the modules."""
