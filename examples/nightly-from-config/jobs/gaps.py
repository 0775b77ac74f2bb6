"""Counts how often each meter was silent for more than an hour: gaps.py READINGS OUTPUT."""

import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql.functions import col, lag

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
last = lag("at").over(Window.partitionBy("meter").orderBy("at"))
silence = spark.read.parquet(source).withColumn("seconds", col("at").cast("long") - last.cast("long"))
silence.where("seconds > 3600").groupBy("meter").count().write.mode("overwrite").parquet(target)
