"""Drops what a meter has sent twice, and readings that run backwards: clean.py READINGS OUTPUT."""

import sys

from pyspark.sql import SparkSession, Window, functions
from pyspark.sql.functions import col

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
before = Window.partitionBy("meter").orderBy("at").rowsBetween(Window.unboundedPreceding, -1)
readings = spark.read.parquet(source).dropDuplicates(["meter", "at"])
readings = readings.withColumn("highest", functions.max("kwh").over(before))
forwards = readings.where(col("highest").isNull() | (col("kwh") >= col("highest"))).drop("highest")
forwards.write.mode("overwrite").parquet(target)
