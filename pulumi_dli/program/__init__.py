"""Code that runs inside the user's Pulumi program: the resources, the wait gate and the output on the terminal."""
