import pulumi_dli as dli

dli.jobs_from_config()
