"""The command line `pulumi-dli`: shows and cancels batch jobs, by their logical names or their ids."""
