"""Five ways to differentiate: a formula is a graph of operations, a network one of layers."""
