"""How alike a framework's repeats are: in what they write, in whether it is accepted, in time and tokens."""
