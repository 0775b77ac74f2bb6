"""What a driver log tells: which lines are the framework's, what was thrown, and why the job failed."""
