"""Writes two orders. One price is no number."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
orders = spark.createDataFrame([("anna", "12,5"), ("ben", "n/a")], ["name", "price"])
orders.write.mode("overwrite").csv("obs://demo/orders")
