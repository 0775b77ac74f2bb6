"""The command line `pulumi-dli`: looks at batch jobs and cancels them, by their logical names or their ids."""
