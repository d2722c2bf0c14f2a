"""What the pixels of a picture tell, without knowledge of any family."""
