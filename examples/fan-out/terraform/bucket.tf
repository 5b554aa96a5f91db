resource "aws_s3_bucket" "shop" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "shop" {
  bucket                  = aws_s3_bucket.shop.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "shop" {
  bucket = aws_s3_bucket.shop.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# The records that let each order be worked on once are needed as long as an order can come again: queues keep four days.
resource "aws_s3_bucket_lifecycle_configuration" "shop" {
  bucket = aws_s3_bucket.shop.id
  rule {
    id     = "keys"
    status = "Enabled"
    filter {
      prefix = "keys/"
    }
    expiration {
      days = 30
    }
  }
}
