"""Floor 4: what is found to be right or wrong with images. Each check takes an image and evidence, and gives values."""
