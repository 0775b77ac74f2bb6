"""Counts words with Spark: wordcount.py INPUT OUTPUT, both obs:// folders."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, explode, lower, split

source, target = sys.argv[1:]
spark = SparkSession.builder.appName("wordcount").getOrCreate()

words = spark.read.text(source).select(explode(split(lower(col("value")), "[^a-z]+")).alias("word"))
counts = words.where("word != ''").groupBy("word").count().orderBy(col("count").desc(), "word")
counts.coalesce(1).write.mode("overwrite").csv(target, sep="\t")

print(f"counted {counts.count()} different words")
spark.stop()
