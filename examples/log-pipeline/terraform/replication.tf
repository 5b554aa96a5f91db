# A copy of what was compacted, in the cheapest archive, as in src/replica.ts; there it lies in another account, here in this one.
resource "aws_s3_bucket" "replica" {
  bucket = "${var.bucket}-replica"
}

resource "aws_s3_bucket_public_access_block" "replica" {
  bucket                  = aws_s3_bucket.replica.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "replica" {
  bucket = aws_s3_bucket.replica.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "replica" {
  bucket = aws_s3_bucket.replica.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "replica" {
  bucket     = aws_s3_bucket.replica.id
  depends_on = [aws_s3_bucket_versioning.replica]
  rule {
    id     = "replica"
    status = "Enabled"
    filter {
      prefix = "compacted/"
    }
    transition {
      days          = 1
      storage_class = "DEEP_ARCHIVE"
    }
  }
}

resource "aws_iam_role" "replication" {
  name = "log-pipeline-replication"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "s3.amazonaws.com" }
    }]
  })
}

# What replicationPolicies of @pipe/s3-lifecycle says.
resource "aws_iam_role_policy" "replication" {
  name = "replication"
  role = aws_iam_role.replication.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadSourceBucket"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = aws_s3_bucket.lake.arn
      },
      {
        Sid      = "ReadSourceObjects"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
        Resource = "${aws_s3_bucket.lake.arn}/compacted/*"
      },
      {
        Sid      = "WriteReplicas"
        Effect   = "Allow"
        Action   = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
        Resource = "${aws_s3_bucket.replica.arn}/*"
      }
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "lake" {
  bucket     = aws_s3_bucket.lake.id
  role       = aws_iam_role.replication.arn
  depends_on = [aws_s3_bucket_versioning.lake, aws_s3_bucket_versioning.replica]

  rule {
    id     = "compacted"
    status = "Enabled"
    filter {
      prefix = "compacted/"
    }
    delete_marker_replication {
      status = "Disabled"
    }
    destination {
      bucket = aws_s3_bucket.replica.arn
    }
  }
}
