locals {
  functions = {
    log-generator = {
      timeout = 30, memory = 256,
      environment = { BUCKET = var.bucket, RAW_PREFIX = "raw/" }
    }
    log-compactor = {
      timeout = 120, memory = 512,
      environment = {
        BUCKET           = var.bucket
        RAW_PREFIX       = "raw/"
        COMPACTED_PREFIX = "compacted/"
        RESULTS_PREFIX   = "results/"
        DATABASE         = "lake"
        COMPACTED_TABLE  = "device_logs_compacted"
        WINDOW           = "5 minutes"
        GRACE            = "1 minute"
        ENGINE           = "athena"
        WORKGROUP        = aws_athena_workgroup.lake.name
      }
    }
  }

  # The policies that the local run enforces, with your account, region, bucket and workgroup instead of the local ones.
  policies = {
    for name, _ in local.functions : name => replace(
      replace(
        replace(replace(file("${path.module}/../policies/${name}.json"), "000000000000", var.account), "us-east-1", var.region),
        "workgroup/primary", "workgroup/lake"
      ),
      ":::lake", ":::${var.bucket}"
    )
  }
}

resource "aws_lambda_function" "function" {
  for_each         = local.functions
  function_name    = each.key
  filename         = "${path.module}/../../../out/bundles/log-pipeline/${each.key}.zip"
  source_code_hash = filebase64sha256("${path.module}/../../../out/bundles/log-pipeline/${each.key}.zip")
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  role             = aws_iam_role.function[each.key].arn
  timeout          = each.value.timeout
  memory_size      = each.value.memory

  environment {
    variables = each.value.environment
  }

  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function, aws_iam_role_policy.logs]
}

# Terraform owns the group, so no function needs logs:CreateLogGroup.
resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${each.key}"
  retention_in_days = 30
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "log-pipeline-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = each.key
  role     = aws_iam_role.function[each.key].id
  policy   = local.policies[each.key]
}

resource "aws_iam_role_policy" "logs" {
  for_each = local.functions
  name     = "logs"
  role     = aws_iam_role.function[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.function[each.key].arn}:*"
    }]
  })
}
