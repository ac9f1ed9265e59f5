"""What a small model learns from, and the rules by which what it learned comes to answer."""
