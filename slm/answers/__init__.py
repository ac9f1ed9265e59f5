"""Answers to questions, from passages of the memory."""
