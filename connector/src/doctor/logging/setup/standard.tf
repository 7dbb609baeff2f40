# Standard logs (v2) of @DISTRIBUTION@ to the node, by Firehose; the provider's region must be us-east-1.

variable "access_key" {
  description = "The access key of the node (logs.access_key_file)."
  type        = string
  sensitive   = true
}

variable "bucket" {
  description = "Name of an existing bucket, which keeps the records that the node did not accept."
  type        = string
}

data "aws_iam_policy_document" "logs_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "logs_bucket" {
  statement {
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetBucketLocation",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:PutObject",
    ]
    resources = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/@NAME@-logs/*"]
  }
}

resource "aws_iam_role" "logs" {
  name               = "@NAME@-logs"
  assume_role_policy = data.aws_iam_policy_document.logs_trust.json
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.logs.name
  policy = data.aws_iam_policy_document.logs_bucket.json
}

resource "aws_kinesis_firehose_delivery_stream" "logs" {
  name        = "@NAME@-logs"
  destination = "http_endpoint"

  # Lets CloudFront's log delivery write to the stream.
  tags = {
    LogDeliveryEnabled = "true"
  }

  http_endpoint_configuration {
    name               = "wallarm-node"
    url                = "@URL@"
    access_key         = var.access_key
    buffering_size     = 1
    buffering_interval = 10
    retry_duration     = 7200
    role_arn           = aws_iam_role.logs.arn
    s3_backup_mode     = "FailedDataOnly"

    request_configuration {
      content_encoding = "GZIP"
    }

    s3_configuration {
      role_arn           = aws_iam_role.logs.arn
      bucket_arn         = "arn:aws:s3:::${var.bucket}"
      prefix             = "@NAME@-logs/"
      compression_format = "GZIP"
    }
  }
}

resource "aws_cloudwatch_log_delivery_source" "logs" {
  name         = "@NAME@-@DISTRIBUTION@"
  log_type     = "ACCESS_LOGS"
  resource_arn = "@ARN@"
}

resource "aws_cloudwatch_log_delivery_destination" "logs" {
  name          = "@NAME@-logs"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_kinesis_firehose_delivery_stream.logs.arn
  }
}

resource "aws_cloudwatch_log_delivery" "logs" {
  delivery_source_name     = aws_cloudwatch_log_delivery_source.logs.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.logs.arn
  record_fields            = [@FIELDS@]
}
