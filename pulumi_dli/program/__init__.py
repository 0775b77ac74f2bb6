"""What runs inside the user's Pulumi program: the resources, the gate of a wait, what the terminal shows."""
