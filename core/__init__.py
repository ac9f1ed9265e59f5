"""What memory is and the rules it obeys."""
