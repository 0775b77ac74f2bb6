"""What stands in every user's state, and in the names of live runs. No version may change it.

Each test runs 0.1.0 too, which shows that the values are those of 0.1.0.
"""
