"""What games look like to a network, and networks that value actions."""
