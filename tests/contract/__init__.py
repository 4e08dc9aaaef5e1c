"""Other programs' published contracts, held against ours."""
