"""Others that do a part of the same work, measured in the same run: each script is optional, and needs what it measures."""
