"""What the workshop knows of a customer and their cars."""
