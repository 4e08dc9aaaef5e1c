"""The settings: which there are, how they are read, and what is documented of them."""
