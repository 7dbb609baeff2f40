# Real-time logs of @DISTRIBUTION@ to the node, by Kinesis and Firehose; the provider's region must be us-east-1. Set
# realtime_log_config_arn = aws_cloudfront_realtime_log_config.logs.arn in every behavior of @DISTRIBUTION@.
# The node needs logs.fields: [@NODE_FIELDS@]

variable "access_key" {
  description = "The access key of the node (logs.access_key_file)."
  type        = string
  sensitive   = true
}

variable "bucket" {
  description = "Name of an existing bucket, which keeps the records that the node did not accept."
  type        = string
}

# One role for CloudFront, which writes to the stream, and for Firehose, which reads it.
data "aws_iam_policy_document" "real_time_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com", "firehose.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "real_time" {
  statement {
    actions = [
      "kinesis:DescribeStream",
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
      "kinesis:PutRecord",
      "kinesis:PutRecords",
    ]
    resources = [aws_kinesis_stream.logs.arn]
  }
  statement {
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetBucketLocation",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:PutObject",
    ]
    resources = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/@NAME@-real-time/*"]
  }
}

resource "aws_kinesis_stream" "logs" {
  name = "@NAME@-real-time"

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

resource "aws_iam_role" "real_time" {
  name               = "@NAME@-real-time"
  assume_role_policy = data.aws_iam_policy_document.real_time_trust.json
}

resource "aws_iam_role_policy" "real_time" {
  name   = "logs"
  role   = aws_iam_role.real_time.name
  policy = data.aws_iam_policy_document.real_time.json
}

resource "aws_kinesis_firehose_delivery_stream" "real_time" {
  name        = "@NAME@-real-time"
  destination = "http_endpoint"
  depends_on  = [aws_iam_role_policy.real_time]

  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.logs.arn
    role_arn           = aws_iam_role.real_time.arn
  }

  http_endpoint_configuration {
    name               = "wallarm-node"
    url                = "@URL@"
    access_key         = var.access_key
    buffering_size     = 1
    buffering_interval = 10
    retry_duration     = 7200
    role_arn           = aws_iam_role.real_time.arn
    s3_backup_mode     = "FailedDataOnly"

    request_configuration {
      content_encoding = "GZIP"
    }

    s3_configuration {
      role_arn           = aws_iam_role.real_time.arn
      bucket_arn         = "arn:aws:s3:::${var.bucket}"
      prefix             = "@NAME@-real-time/"
      compression_format = "GZIP"
    }
  }
}

resource "aws_cloudfront_realtime_log_config" "logs" {
  name          = "@NAME@-real-time"
  sampling_rate = 100
  fields        = [@FIELDS@]
  depends_on    = [aws_iam_role_policy.real_time]

  endpoint {
    stream_type = "Kinesis"

    kinesis_stream_config {
      role_arn   = aws_iam_role.real_time.arn
      stream_arn = aws_kinesis_stream.logs.arn
    }
  }
}
