"""What gives the class away without the disease."""
