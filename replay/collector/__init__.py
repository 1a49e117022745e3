"""How machines that carry out parts of a run get their orders and bring back what came of them."""
