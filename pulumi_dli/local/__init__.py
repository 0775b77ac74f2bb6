"""The local DLI: a service with the API of DLI's batch jobs. It runs the jobs with Spark on this machine.

    python -m pulumi_dli.local serve --data DIR

It is for trying things without an account, and for tests (`pulumi_dli.local.server.LocalDli`). Each module in this list
imports only modules that stand below it:

    pytest_plugin               the fixtures for tests
    testing, job_tests          `local_dli` for tests of Pulumi programs, `spark_jobs` for tests of jobs
    __main__                    the command line
    server                      socket, thread and event loop: `LocalDli`
    connections                 limits of connections and of slow clients
    page                        the jobs, their logs and the queues in a browser
    page_access                 which browsers may see the page: sign-in, sessions, forms
    page_templates              the templates of the page and how they are filled
    job_view, log_view          how a job ended and why; the part of a log that the page shows
    routes                      the calls of the API and the functions that answer them
    gateway                     authentication, limits, call counts and faults for all calls
    keystone, queues            the calls of IAM and of queues that batch jobs need
    jobs                        the life cycle of jobs
    job_changes                 the changes of jobs on their way into the table
    capacity                    which waiting job may run
    engines                     what runs a job: `spark`, `timeline`; Spark's web pages
    replies, submissions        the JSON of replies; the requests for new jobs
    timeline_view               what each job was doing, and when
    endings                     how a dead job ended
    table, logs, obs            the stored jobs, logs and buckets
    environment                 the account as environment variables
    credentials, signatures     the secrets of the account; the signatures of calls
    sign_in_links               links and sessions of the page
    faults, call_counter        fault injection and call counts for tests
    errors                      the errors that the service answers
    durations, private_files    durations as text; files that only their owner can read
    threads                     blocking work outside the event loop
"""
