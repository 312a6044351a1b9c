"""Draws roads as a forward camera sees them, in batches, on whatever device PyTorch has."""
