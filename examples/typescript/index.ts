// Counts the words of obs://<bucket>/in into obs://<bucket>/out, and waits for the outcome.
//
// `pulumi package add` writes the package @pulumi-dli/dli into the folder sdks.
import * as dli from "@pulumi-dli/dli";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const bucket = config.require("bucket");

const wordcount = new dli.BatchJob(
    "wordcount",
    {
        file: `obs://${bucket}/jobs/wordcount.py`,
        args: [`obs://${bucket}/in`, `obs://${bucket}/out`],
        queue: config.require("queue"),
    },
    // With this, `--replace` runs the job again also while its run is live.
    { deleteBeforeReplace: true },
);
const success = new dli.BatchJobCompletion("wordcount-success", { batchJob: wordcount.id, timeout: "20m" });

export const job = wordcount.id;
export const state = success.state;
