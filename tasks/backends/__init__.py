"""Model servers: which there are, and how handlers call them."""
