"""The local DLI: a service with the API of DLI's batch jobs that runs them with Spark on this machine.

    python -m pulumi_dli.local serve --data DIR

For trying things without an account, and for tests (`pulumi_dli.local.server.LocalDli`). The modules, from what is
seen outside to what does the work; each imports only from those after it:

    pytest_plugin, testing      the fixture `local_dli` for tests of Pulumi programs
    __main__                    the command line
    server                      sockets and threads: `LocalDli`
    page                        the jobs, their logs and the queues in a browser
    routes                      the calls of the API, each with its function
    gateway                     what stands before them: identity, limits, counting, faults
    keystone, queues            the neighbours, as far as batch jobs need them
    jobs                        the life of a job
    capacity                    which of them may run
    engines                     what a job runs on: `spark`, `timeline`
    replies, submissions        the wire: what goes out, what comes in
    timeline_view               what each job was doing, and for how long
    table, logs, obs            what is kept: the jobs, their logs, the buckets
    environment                 the account as variables
    credentials, signatures     who may call
    sign_in_links               who may look at the page
    faults, call_counter        what tests ask for
    errors                      the errors that the service answers
    durations, private_files    spans of time; files that only their owner reads
"""
