resource "aws_athena_workgroup" "lake" {
  name = "lake"
  configuration {
    enforce_workgroup_configuration = true
    # A statement that would read more is ended.
    bytes_scanned_cutoff_per_query = 10737418240
    result_configuration {
      output_location = "s3://${var.bucket}/results/"
    }
  }
}

resource "aws_glue_catalog_database" "lake" {
  name = "lake"
}

# The tables that compactionDdl of @pipe/compactor makes.
resource "aws_glue_catalog_table" "compacted" {
  name          = "device_logs_compacted"
  database_name = aws_glue_catalog_database.lake.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = { EXTERNAL = "TRUE" }

  storage_descriptor {
    location      = "s3://${var.bucket}/compacted/data/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }
    columns {
      name = "timestamp"
      type = "timestamp"
    }
    columns {
      name = "device_name"
      type = "string"
    }
    columns {
      name = "metric"
      type = "double"
    }
  }
  partition_keys {
    name = "dt"
    type = "string"
  }
  partition_keys {
    name = "hour"
    type = "string"
  }
  partition_keys {
    name = "batch"
    type = "string"
  }
}

resource "aws_glue_catalog_table" "lines" {
  name          = "device_logs_lines"
  database_name = aws_glue_catalog_database.lake.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = { EXTERNAL = "TRUE" }

  storage_descriptor {
    location      = "s3://${var.bucket}/raw/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.RegexSerDe"
      parameters            = { "input.regex" = "(?s)(.*)" }
    }
    columns {
      name = "line"
      type = "string"
    }
  }
  partition_keys {
    name = "dt"
    type = "string"
  }
  partition_keys {
    name = "hour"
    type = "string"
  }
}
