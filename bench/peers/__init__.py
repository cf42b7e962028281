"""The parts of the side-by-side run: servers, load, memory, and the report."""
