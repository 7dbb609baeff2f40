# Real-time logs of @DISTRIBUTION@ to the node, by Kinesis and Firehose.
# Set the bucket, which keeps the records that the node did not accept. The file firehose-key has the access key of the
# node (logs.access_key_file). The node needs logs.fields: [@NODE_FIELDS@]
set -eu
bucket=BUCKET
name=@NAME@-real-time
aws kinesis create-stream --region us-east-1 --stream-name "$name" --stream-mode-details StreamMode=ON_DEMAND
aws kinesis wait stream-exists --region us-east-1 --stream-name "$name"
stream=$(aws kinesis describe-stream-summary --region us-east-1 --stream-name "$name" \
  --query StreamDescriptionSummary.StreamARN --output text)
# One role for CloudFront, which writes to the stream, and for Firehose, which reads it.
role=$(aws iam create-role --role-name "$name" --query Role.Arn --output text \
  --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": ["cloudfront.amazonaws.com", "firehose.amazonaws.com"]}}]}')
aws iam put-role-policy --role-name "$name" --policy-name logs --policy-document "{\"Version\": \"2012-10-17\",
  \"Statement\": [{\"Effect\": \"Allow\", \"Resource\": \"$stream\",
  \"Action\": [\"kinesis:DescribeStream\", \"kinesis:DescribeStreamSummary\", \"kinesis:GetRecords\",
    \"kinesis:GetShardIterator\", \"kinesis:ListShards\", \"kinesis:PutRecord\", \"kinesis:PutRecords\"]},
  {\"Effect\": \"Allow\", \"Resource\": [\"arn:aws:s3:::$bucket\", \"arn:aws:s3:::$bucket/$name/*\"],
  \"Action\": [\"s3:AbortMultipartUpload\", \"s3:GetBucketLocation\", \"s3:ListBucket\",
    \"s3:ListBucketMultipartUploads\", \"s3:PutObject\"]}]}"
# A new role takes some seconds to propagate.
sleep 20
# The key is no argument: other users of this machine can read those.
aws firehose create-delivery-stream --region us-east-1 --delivery-stream-name "$name" \
  --delivery-stream-type KinesisStreamAsSource \
  --kinesis-stream-source-configuration "KinesisStreamARN=$stream,RoleARN=$role" \
  --http-endpoint-destination-configuration file:///dev/stdin <<END
{"EndpointConfiguration": {"Name": "wallarm-node", "Url": "@URL@", "AccessKey": "$(cat firehose-key)"},
 "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 10},
 "RequestConfiguration": {"ContentEncoding": "GZIP"},
 "RetryOptions": {"DurationInSeconds": 7200},
 "RoleARN": "$role",
 "S3BackupMode": "FailedDataOnly",
 "S3Configuration": {"RoleARN": "$role", "BucketARN": "arn:aws:s3:::$bucket", "Prefix": "$name/",
   "CompressionFormat": "GZIP"}}
END
aws cloudfront create-realtime-log-config --name "$name" --sampling-rate 100 \
  --end-points "StreamType=Kinesis,KinesisStreamConfig={RoleARN=$role,StreamARN=$stream}" \
  --fields @FIELDS@
echo "Select $name as the real-time log configuration of every behavior of @DISTRIBUTION@."
