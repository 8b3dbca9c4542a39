"""Floor 6: the tasks, by what a person is doing. Thin: each is the product's sentence with a name."""
